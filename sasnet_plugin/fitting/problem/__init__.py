"""The bumps problem of a curve and a model: parameters, resolution, size distributions, contrast."""
