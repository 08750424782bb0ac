"""From a detector's file to images over exit angles, and onto the window that a network sees."""

from __future__ import annotations

from sasnet_plugin.data.images.load import iter_images, load_images
from sasnet_plugin.data.images.rebin import rebin, to_window
from sasnet_plugin.data.images.settings import ImageSettings
from sasnet_plugin.data.signature import is_image

__all__ = ["ImageSettings", "is_image", "iter_images", "load_images", "rebin", "to_window"]
