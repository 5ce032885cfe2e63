"""One port to Kubernetes, its errors, and its one implementation."""
