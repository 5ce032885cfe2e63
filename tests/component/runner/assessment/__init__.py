"""What a run finds in the database, held against the history and the approved plan."""
