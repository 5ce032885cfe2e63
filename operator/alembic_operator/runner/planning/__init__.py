"""The plan run: what a change would send and do, found out in a shadow of the target. Nothing is written there."""
