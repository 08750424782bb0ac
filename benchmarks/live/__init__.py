"""Measurements under way: what is said of a series."""
