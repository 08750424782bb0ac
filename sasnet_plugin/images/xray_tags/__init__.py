"""X-ray scattering images of materials: tags of what they show."""
