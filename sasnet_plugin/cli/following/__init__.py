"""``sasnet follow``: series of curves, and of images."""
