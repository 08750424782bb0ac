"""What is said of a fit: one headline, the doubt that would hurt most, and what to do next. Reads results only."""
