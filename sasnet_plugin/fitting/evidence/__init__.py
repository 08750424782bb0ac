"""One number for each fit of a curve: ln of its marginal likelihood."""
