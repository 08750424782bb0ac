"""What is said of diffraction images of single particles."""
