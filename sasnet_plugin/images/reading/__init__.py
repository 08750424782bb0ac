"""From a detector's file to images over exit angles, and onto the window that a network sees."""

from __future__ import annotations

from ..recognition import is_image
from .load import iter_images, load_images
from .rebin import rebin, to_window
from .settings import ImageSettings

__all__ = ["ImageSettings", "is_image", "iter_images", "load_images", "rebin", "to_window"]
