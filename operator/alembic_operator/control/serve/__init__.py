"""The process as its cluster sees it: lease, probes, metrics and log."""
