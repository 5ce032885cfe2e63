"""The ways in which a run can end."""
