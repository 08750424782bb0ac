"""Where a fit starts, from the bank of simulated curves."""
