"""Trained models: where they lie, what they say of themselves, and that they are undamaged."""

from sasnet_plugin.zoo.manifest import Manifest, parse_manifest
from sasnet_plugin.zoo.registry import ZooModel, open_model, registered, verify, zoo_folder

__all__ = [
    "Manifest",
    "ZooModel",
    "open_model",
    "parse_manifest",
    "registered",
    "verify",
    "zoo_folder",
]
