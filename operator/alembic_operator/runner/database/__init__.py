"""The target: its Secret, driver and sessions, its version table and journal, and what its server says."""
