"""The command-line tool: what the operator plans in the cluster, on a laptop and in CI."""
