"""What is to be done: the database as it was read, held against the image's history and the plan. Pure."""
