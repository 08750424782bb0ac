"""X-ray scattering images of materials: scenes of rings, halos, lattices and diffuse terms on a detector."""
