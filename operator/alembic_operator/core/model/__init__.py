"""What decisions are made from and what they consist of, as plain values."""
