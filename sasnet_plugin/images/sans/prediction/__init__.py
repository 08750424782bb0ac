"""What is said of images, each kind in a file of its own."""
