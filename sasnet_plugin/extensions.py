"""Packages that add kinds of measurements and commands; everything else works without them.

An extension is a module with tables of names: ``KINDS`` (kind of measurement to its specification),
``COMMANDS`` (command to its function), ``EXPORTERS`` (ending of a file to the function that writes a fit) and
``SERVICES`` (what other parts ask for, to the function that does it). Each function is named by
``module:function``, and imported when it is needed. Other distributions name their module as an entry point
of the group ``sasnet.extensions``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from .types import SasnetError

EXTENSIONS = ("sasnet_plugin.images",)
#: Group of the entry points by which other distributions name their modules.
GROUP = "sasnet.extensions"


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
    """Merge the tables of one name of all extensions that are installed; the project's own names stay."""
    own = [import_module(extension) for extension in EXTENSIONS if find_spec(extension)]
    tables = [getattr(module, name, {}) for module in (*_import_others(), *own)]
    return {key: place for table in tables for key, place in table.items()}


@cache
def _import_others() -> tuple[ModuleType, ...]:
    """Modules of other distributions; one that cannot be imported is named on stderr and left out."""
    # Reading the metadata of hundreds of distributions takes longer than classifying a curve.
    lists = (file for folder in sys.path for file in Path(folder).glob("*-info/entry_points.txt"))
    if not any(f"[{GROUP}]" in file.read_text("utf-8", "replace") for file in lists):
        return ()
    from importlib.metadata import entry_points

    modules = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.value):
        try:
            modules.append(import_module(point.value))
        except Exception as error:
            print(
                f"sasnet: the extension {point.name} ({point.value}) is left out: {error}.", file=sys.stderr
            )
    return tuple(modules)


def has_service(name: str) -> bool:
    """Whether an extension that is installed offers a service."""
    return name in merge_tables("SERVICES")


def service(name: str) -> Any:
    """Import the function of a service. Raises SasnetError if no installed extension offers it."""
    if not has_service(name):
        raise SasnetError("Images cannot be handled: this installation of sasnet lacks the part for images.")
    return load(merge_tables("SERVICES")[name])
