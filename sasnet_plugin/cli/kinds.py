"""Measurements of several kinds in one call: each read and judged as its domain's page says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from sasnet_plugin.domains import Domain, page, recognised, resolve
from sasnet_plugin.types import SasnetError


class Kinds:
    """Reads and judges measurements.

    Parameters
    ----------
    domain : str or None
        Of all files; None asks each file.
    top : int
    models, exclude : list of str or None
        Models to choose from, and to leave out.
    q_unit, entry : str or None
        For reading.
    geometry : list of str or None
        Settings for reading, ``name=value``; only images have such.
    verify : bool
        Answers are simulated again.
    """

    def __init__(
        self,
        domain: str | None,
        *,
        top: int,
        models: list[str] | None,
        exclude: list[str] | None,
        q_unit: str | None,
        entry: str | None,
        geometry: list[str] | None = None,
        verify: bool = False,
    ) -> None:
        self._given = page(domain).name if domain else None
        self._wanted = {"top": top, "models": models, "exclude": exclude}
        self._reading = {"q_unit": q_unit, "entry": entry}
        self._geometry = geometry
        self._verify = verify
        self._judges: dict[str, Callable[[Sequence[Any]], list[Any]]] = {}
        self._domains: dict[type, Domain] = {}
        if models or exclude:  # wrong names are wrong usage, before the first file is read
            self._judge(page(domain or "sas1d"))

    def read(self, path: str) -> Iterable[Any]:
        """The measurements of a file."""
        domain = page(self._given or recognised(Path(path)))
        for one in resolve(domain.read)(path, **self._reading, **geometry_of(domain, self._geometry, path)):
            self._domains[type(one)] = domain
            yield one

    def domain_of(self, measurement: Any) -> Domain:
        """The domain that a measurement was read by."""
        return self._domains[type(measurement)]

    def judge(self, measurements: Sequence[Any]) -> list[Any]:
        """An answer or an exception for each, in their order."""
        found: dict[int, Any] = {}
        for domain in {d.name: d for d in map(self.domain_of, measurements)}.values():
            rows = [row for row, one in enumerate(measurements) if self.domain_of(one) is domain]
            answers = self._judge(domain)([measurements[row] for row in rows])
            found |= zip(rows, answers, strict=True)
        return [self._verified(measurements[row], found[row]) for row in range(len(measurements))]

    def _verified(self, measurement: Any, answer: Any) -> Any:
        if not self._verify or isinstance(answer, Exception):
            return answer
        domain = self.domain_of(measurement)
        if not domain.verify:
            return SasnetError(f"{measurement.file}: --verify is for patterns; 'sasnet fit' verifies curves.")
        try:
            return resolve(domain.verify)(measurement, answer)
        except Exception as error:  # one pattern must not stop the others
            return error

    def _judge(self, domain: Domain) -> Callable[[Sequence[Any]], list[Any]]:
        if domain.name not in self._judges:
            from sasnet_plugin.predict.outcomes import UnknownModelError

            try:
                self._judges[domain.name] = resolve(domain.judge)(**self._wanted)
            except UnknownModelError as error:
                raise typer.BadParameter(str(error), param_hint="--models / --exclude") from None
        return self._judges[domain.name]


def geometry_of(domain: Domain, given: list[str] | None, path: str) -> dict[str, Any]:
    """What ``--geometry`` adds to the reading of a file.

    Raises
    ------
    SasnetError
        The domain has no such settings, or there is something wrong with them.
    """
    if not given:
        return {}
    if not domain.settings:
        raise SasnetError(f"{path}: --geometry is for images; a curve has none.")
    return {"settings": resolve(domain.settings)(given)}
