"""One process, one database, one run: what happens inside the Job, in the user's image."""
