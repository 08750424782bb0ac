"""Several curves of one sample, fitted together."""
