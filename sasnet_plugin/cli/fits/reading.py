"""How ``sasnet fit`` reads files: curves, and images where these have a direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...batch.plan import Options
from ...domains import DEFAULT, PAGES, Domain, ReadOptions, recognised, specification
from ...types import SasnetError


@dataclass
class Reading:
    """How files are read, and of which kind those were that hold images."""

    domain: str | None  #: Of all files; None asks each file.
    options: Options
    geometry: tuple[str, ...]
    kinds: dict[str, Domain] = field(default_factory=dict)

    def read(self, path: str) -> Iterator[Any]:
        """The curves of a file, or its images where these have a direction."""
        from ...data import load

        options = self.options
        kind = specification(self.domain or recognised(Path(path)))
        if kind.name == DEFAULT:
            yield from load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)
            return
        if not kind.curve:
            raise _not_fitted(path, kind)
        for one in kind.read(path, ReadOptions(options.q_unit, options.entry, self.geometry)):
            self.kinds[one.file] = kind
            curve = kind.curve(one)
            yield one if curve is None else curve


def _not_fitted(path: str, kind: Domain) -> SasnetError:
    others = " or ".join(name for name in PAGES if specification(name).curve)
    return SasnetError(
        f"{path}: {kind.title} are not fitted here; use 'sasnet classify --verify', or give --domain {others}"
        " if the beam went through the sample."
    )
