"""Tags of images, given in the browser: labels that are kept, what the model suggests, retraining on them."""
