"""Small-angle-scattering images: where their pixels lie in q, how files are read, what a network reads."""
