"""Apply runs: what is sent, what is let through, what is journalled."""
