"""Patterns of growing films of clusters, from their prior to a measured image."""
