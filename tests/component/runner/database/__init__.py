"""Secrets, servers and sessions."""
