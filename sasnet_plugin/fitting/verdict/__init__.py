"""What is said of a fit: a headline, the most harmful doubt, what to do next. Reads the result alone."""
