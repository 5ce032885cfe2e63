"""The installed operator, on a cluster of its own."""
