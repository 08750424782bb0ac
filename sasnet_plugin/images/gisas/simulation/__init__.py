"""Patterns of ordered nanoparticles under grazing incidence, from their prior to a measured image."""
