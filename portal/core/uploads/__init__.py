"""What comes in from outside: looked at in a child process with limits before anything is kept."""
