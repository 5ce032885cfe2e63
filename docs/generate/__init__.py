"""Writes the files that are made from others, or says which of them are not up to date."""
