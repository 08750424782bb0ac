"""Samples that no single model of sasmodels is: proteins, real bilayers, several populations, networks."""
