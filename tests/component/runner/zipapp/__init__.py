"""What the zipapp carries."""
