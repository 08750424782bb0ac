"""Curves: their networks, their simulation, and what they say without a model."""
