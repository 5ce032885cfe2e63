"""What brings a DatabaseSchema into the queue: events that matter, and the slow look at everything."""
