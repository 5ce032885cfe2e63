"""Fingerprints of schemas."""
