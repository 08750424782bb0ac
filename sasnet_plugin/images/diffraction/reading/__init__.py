"""Single-shot diffraction images: read in a stream, features that do not turn with the particle."""
