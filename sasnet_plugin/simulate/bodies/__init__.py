"""Samples that no single model is: mixtures, powders, proteins, real bilayers, networks, and junk."""
