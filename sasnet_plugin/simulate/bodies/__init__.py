"""Samples that no single model of sasmodels is: mixtures, powders, proteins, real bilayers, networks, junk."""
