"""Grazing-incidence patterns of growing films."""
