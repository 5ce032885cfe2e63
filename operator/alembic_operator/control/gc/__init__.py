"""Deleting what no owner reference takes away."""
