"""One look at one DatabaseSchema: observe, decide, act."""
