"""Images: oriented samples, gratings, growing films, single particles, tags."""
