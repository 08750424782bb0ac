"""Grazing-incidence patterns of ordered nanoparticles: how their lattice is rotated."""
