"""Single-shot diffraction of free particles: bodies, multi-slice Fourier transform, detector, prior."""
