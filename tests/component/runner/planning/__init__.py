"""Plan runs."""
