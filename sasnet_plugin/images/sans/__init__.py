"""Small-angle-scattering images: which shape, how large, how oriented."""
