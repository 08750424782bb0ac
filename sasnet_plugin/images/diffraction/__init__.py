"""Diffraction images of single particles: tags, sizes and sorting."""
