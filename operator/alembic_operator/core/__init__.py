"""The pure heart: what was observed in, what to do out. Time is injected; nothing here does input or output."""
