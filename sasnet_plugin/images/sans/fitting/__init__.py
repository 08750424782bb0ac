"""Small-angle-scattering images that have a direction: a body and the distribution of its axes, fitted."""
