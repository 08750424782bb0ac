"""Ways to a lower χ² from a start, and how well the parameters are known there."""
