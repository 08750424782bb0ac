"""Figures and pages of images at grazing incidence; each figure is made of arrays alone."""
