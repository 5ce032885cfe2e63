"""Running revisions on the session that holds the lock, each statement counted, guarded and journalled."""
