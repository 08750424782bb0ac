"""The inversion of lattices; a package, as other folders have files of the same names."""
