"""From a file to curves, and the preprocessing that training and prediction share."""

from __future__ import annotations

from .load import load

__all__ = ["load"]
