"""Packages that add kinds of measurements and commands; everything else works without them.

An extension is a package with tables of names: ``KINDS`` (kind of measurement to its specification),
``COMMANDS`` (command to its function) and ``SERVICES`` (what other parts ask for, to the function that does
it). Its modules are imported when they are needed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .types import SasnetError

EXTENSIONS = ("sasnet_plugin.images",)


@dataclass(frozen=True)
class Deferred:
    """A function of the package that is imported when it is called."""

    place: str  #: ``module:function``.

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return load(self.place)(*arguments, **options)


@dataclass(frozen=True)
class DeferredValue:
    """A function that imports a value of the package and returns it."""

    place: str  #: ``module:name``.

    def __call__(self) -> Any:
        return load(self.place)


def load(place: str) -> Any:
    """Import what is named by ``module:attribute``."""
    module, _, attribute = place.partition(":")
    return getattr(sys.modules.get(module) or import_module(module), attribute)


@cache
def merge_tables(name: str) -> Mapping[str, str]:
    """Merge the tables of one name of all extensions that are installed."""
    tables = [getattr(import_module(extension), name, {}) for extension in EXTENSIONS if find_spec(extension)]
    return {key: place for table in tables for key, place in table.items()}


def has_service(name: str) -> bool:
    """Whether an extension that is installed offers a service."""
    return name in merge_tables("SERVICES")


def service(name: str) -> Any:
    """Import the function of a service. Raises SasnetError if no installed extension offers it."""
    if not has_service(name):
        raise SasnetError("Images cannot be handled: this installation of sasnet lacks the part for images.")
    return load(merge_tables("SERVICES")[name])
