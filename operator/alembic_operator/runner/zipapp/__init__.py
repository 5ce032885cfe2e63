"""The runner as one file, and the helpers that it carries."""
