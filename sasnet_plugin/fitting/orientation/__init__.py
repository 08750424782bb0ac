"""How a lattice is rotated: physics fitted to one pattern under grazing incidence, and held against it."""

from __future__ import annotations

from .guess import prior_guess
from .invert import invert

__all__ = ["invert", "prior_guess"]
