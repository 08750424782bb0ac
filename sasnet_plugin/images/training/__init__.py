"""Networks for images: trunks about a beam, and training on a user's labels."""
