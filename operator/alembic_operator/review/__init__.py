"""The review of a plan: what is dangerous in it, by its statements and by what they did in the shadow."""
