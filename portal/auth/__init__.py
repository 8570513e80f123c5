"""Log-in, sessions on the server, passwords."""
