"""The imperative shell: watch, queue, reconcile, lease, events, metrics, health."""
