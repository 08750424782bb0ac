"""Small-angle-scattering images: samples once and clean, then whole instruments, anew each time."""
