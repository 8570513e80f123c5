"""Background jobs: a table is the truth, huey brings the word, one tick a minute looks after both."""
