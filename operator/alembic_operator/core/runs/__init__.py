"""One run of a Job: when it starts, why its pod does not, how it ended, and what that does to the status."""
