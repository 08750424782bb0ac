"""What the tests of batches share."""

from __future__ import annotations

#: One small model of one size, a fraction of a second a file.
FAST = ("--models", "sphere", "--structure-factor", "none", "--fixed", "radius_pd=0")
