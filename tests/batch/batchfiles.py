"""What the tests of batches share."""

from __future__ import annotations

#: One small model, a fraction of a second a file.
FAST = ("--models", "sphere", "--structure-factor", "none")
