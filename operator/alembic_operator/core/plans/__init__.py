"""A SchemaPlan from the run that makes it to the one that applies it, and what is kept afterwards."""
