"""Curves of proteins of known mass, measured and simulated."""
