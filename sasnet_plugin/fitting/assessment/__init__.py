"""What may be said about fits: ranking, goodness of fit, warnings."""
