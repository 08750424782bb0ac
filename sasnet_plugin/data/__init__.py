"""From a file to curves, and the preprocessing that training and prediction share."""

from __future__ import annotations

from sasnet_plugin.data.load import load

__all__ = ["load"]
