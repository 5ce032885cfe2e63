"""The status as it is written: conditions, and the sentences in them."""
