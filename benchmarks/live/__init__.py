"""Measurements under way: a beam time in small."""
