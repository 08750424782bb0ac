"""Unlabelled images sorted into clusters: embedded in a stream, a mixture of Gaussians, a file, a page."""
