"""Trained models: where they lie, what they say of themselves, and that they are undamaged."""

from .registry import Manifest as Manifest
from .registry import ZooModel as ZooModel
from .registry import bank_path as bank_path
from .registry import find_checked as find_checked
from .registry import list_registered as list_registered
from .registry import open_folder as open_folder
from .registry import open_model as open_model
from .registry import parse_manifest as parse_manifest
from .registry import register as register
from .registry import verify as verify
from .registry import zoo_folder as zoo_folder
