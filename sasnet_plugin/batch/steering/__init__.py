"""What to measure next, by the information that is expected of it: a sample of a grid, or a setting."""
