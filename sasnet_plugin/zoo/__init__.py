"""Trained models: where they lie, what they say of themselves, and that they are undamaged."""

from .manifest import Manifest, parse_manifest
from .registry import (
    ZooModel,
    bank_path,
    checked,
    open_folder,
    open_model,
    register,
    registered,
    verify,
    zoo_folder,
)

__all__ = [
    "Manifest",
    "ZooModel",
    "bank_path",
    "checked",
    "open_folder",
    "open_model",
    "parse_manifest",
    "register",
    "registered",
    "verify",
    "zoo_folder",
]
