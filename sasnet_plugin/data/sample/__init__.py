"""Several curves of one sample, and what is said of them."""
