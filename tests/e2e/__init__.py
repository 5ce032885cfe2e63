"""Everything on a real Kubernetes; what a folder shares ends with its last test, and makes room for other lanes."""
