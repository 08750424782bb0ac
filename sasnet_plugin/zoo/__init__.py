"""Trained models: where they lie, what they say of themselves, and that they are undamaged."""

from .registry import (
    Manifest,
    ZooModel,
    bank_path,
    find_checked,
    list_registered,
    open_folder,
    open_model,
    parse_manifest,
    register,
    verify,
    zoo_folder,
)

__all__ = [
    "Manifest",
    "ZooModel",
    "bank_path",
    "find_checked",
    "open_folder",
    "open_model",
    "parse_manifest",
    "register",
    "list_registered",
    "verify",
    "zoo_folder",
]
