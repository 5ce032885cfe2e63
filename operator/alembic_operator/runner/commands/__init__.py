"""What a run is asked for: to check, to plan or to apply; and what the database's state means for that."""
