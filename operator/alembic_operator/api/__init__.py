"""The vocabulary: kinds, spec, status and conditions, parsed from raw objects into frozen dataclasses."""
