"""A storm: random faults over several databases, by a seed, and an oracle that says what must hold afterwards."""
