"""Networks that sort diffraction images, and the profiles that novelty is measured by."""
