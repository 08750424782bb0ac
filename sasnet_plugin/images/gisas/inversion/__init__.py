"""How a lattice is rotated: physics fitted to one pattern under grazing incidence and compared with it."""

from __future__ import annotations

from .invert import invert
from .parameters import prior_guess

__all__ = ["invert", "prior_guess"]
