"""The Job of a run, built whole: its manifest, its request and its names."""
