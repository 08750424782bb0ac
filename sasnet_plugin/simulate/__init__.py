"""What a network learns from: priors, clean curves and patterns, and the instruments that measure them."""
