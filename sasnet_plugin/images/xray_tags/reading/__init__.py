"""X-ray scattering images of materials: read with the beam found, as rings and a polar map."""
