"""Measurements of several domains in one call: each read and answered as its specification says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..domains import DEFAULT, PAGES, Domain, ReadOptions, recognise_domain, specification
from ..extensions import has_service, service
from ..names import is_tiled
from ..types import DataError, SasnetError
from .files import curves_of, expand

if TYPE_CHECKING:
    from ..integrations.tiled.nodes import Reader
    from ..predict import Answer, Predictor
    from ..predict.decoding import Choice


#: Seconds for the physics of one pattern.
REFINING = 30.0
CHUNK = 64  # measurements run at once, across files
PATIENCE = 0.25  # seconds after which answers are given, however few there are

#: File, measurement if there is one, answer or why there is none.
Outcome = tuple[str, Any, Any]


def _may_be_image(path: str, domain: Domain) -> bool:
    """Whether a file that was read as of a domain may hold images of another kind."""
    if domain.name != DEFAULT:
        return True
    return has_service("may_hold_images") and bool(service("may_hold_images")(Path(path)))


@dataclass(frozen=True)
class Wanted:
    """Which models are chosen from, how many are listed, and how they are weighted (`class_prior.PRIORS`)."""

    top: int
    models: list[str] | None
    exclude: list[str] | None
    prior: str


def _read_alike(domain: Domain) -> list[Domain]:
    return [
        kind for kind in map(specification, PAGES) if kind.read == domain.read and kind.name != domain.name
    ]


def _images() -> list[Domain]:
    return [specification(name) for name in PAGES if name != DEFAULT]


def _other_images(domain: Domain) -> list[Domain]:
    """Domains of images but for one."""
    return [one for one in _images() if one.name != domain.name]


def _other_kind(path: str, domain: Domain, sentence: str, readers: Sequence[Domain]) -> str:
    """Say what to do with a file that may hold images of another kind than it was read as; `readers` are the
    other domains that read it.
    """
    if not readers:
        return sentence
    if len(readers) == 1:
        (reader,) = readers
        return (
            f"{path}: with the given geometry, the images can only be {reader.title}; repeat with"
            f" --domain {reader.name}."
        )
    other_names = list(filterfalse(readers.__contains__, _images()))
    more = f"; or, with more geometry, {_listed(other_names)}" if other_names else ""
    which = f"{path}: the file does not give the kind of its images; use --domain: {_listed(readers)}{more}."
    return (
        which
        if domain.name == DEFAULT
        else f"{which} As {domain.title}: {sentence.removeprefix(f'{path}: ')}"
    )


def _listed(domains: Sequence[Domain]) -> str:
    """Names and titles of several domains, the last after "or"."""
    *most, last = (f"{one.name} ({one.title})" for one in domains)
    return f"{', '.join(most)} or {last}" if most else last


class Kinds:
    """Reads and answers measurements of one domain, or of each file's own; `verify` refines answers by
    physics and reports stages to `told`. `reader` reads from Tiled servers.
    """

    def __init__(
        self,
        domain: str | None,
        wanted: Wanted,
        reading: ReadOptions,
        *,
        verify: bool = False,
        told: Callable[[str], None] | None = None,
        reader: Reader | None = None,
    ) -> None:
        self._reader = reader
        self._given = specification(domain).name if domain else None
        self._wanted = wanted
        self._reading, self.wavelength = reading, reading.wavelength
        self._verify, self._told = verify, told
        self._opened: dict[str, tuple[Predictor, Choice]] = {}
        self._domains: dict[str, Domain] = {}  # by file
        if wanted.models or wanted.exclude:  # wrong names are wrong usage, before the first file is read
            self._predictor(specification(domain or DEFAULT))

    def read(self, path: str) -> Iterable[Any]:
        if self._reader is not None and is_tiled(path):
            for domain, measurement in self._reader.read(path, self._reading):
                self._domains[path] = domain
                yield measurement
            return
        domain = specification(self._given or recognise_domain(Path(path)))
        try:
            for measurement in domain.read(path, self._reading):
                self._domains[measurement.file] = domain
                yield measurement
        except DataError as error:
            if self._given or not _may_be_image(path, domain):
                raise
            readers = self._readers(path, domain)
            raise DataError(_other_kind(path, domain, str(error), readers)) from error

    def _readers(self, path: str, domain: Domain) -> list[Domain]:
        return [kind for kind in _other_images(domain) if self._reads(kind, path)]

    def _reads(self, domain: Domain, path: str) -> bool:
        try:
            return next(iter(domain.read(path, self._reading)), None) is not None
        except SasnetError:
            return False

    def together(self, paths: Sequence[str | SasnetError]) -> Any:
        """Join files of a sample in several settings. Raises SasnetError if they cannot be."""
        measurements: list[Any] = []
        for path in paths:
            if isinstance(path, SasnetError):
                raise path
            measurements += self.read(path)
            together = self._together_of(measurements, path)
        return together(measurements)

    def _together_of(self, measurements: Sequence[Any], path: str) -> Callable[[Sequence[Any]], Any]:
        """What makes one measurement of several of the last one's domain."""
        domain = self.domain_of(measurements[-1]) if measurements else None
        if domain is None or domain.together is None:
            title = domain.title if domain else "files without measurements"
            raise SasnetError(f"{path}: {title} are not settings of one sample; do not give --set.")
        return domain.together

    def domain_of(self, measurement: Any) -> Domain:
        """The domain that a measurement was read by."""
        return self._domains[measurement.file]

    def answers(self, measurements: Sequence[Any]) -> list[Answer | Exception]:
        """An answer or an exception for each, in their order."""
        rows: dict[str, list[int]] = {}
        for row, measurement in enumerate(measurements):
            rows.setdefault(self.domain_of(measurement).name, []).append(row)
        answers: dict[int, Any] = {}
        for name, places in rows.items():
            predictor, choice = self._predictor(specification(name))
            row_outcomes = predictor.outcomes([measurements[row] for row in places], choice)
            answers |= zip(places, row_outcomes, strict=True)
        return [
            self._complete_answer(measurement, answers[row]) for row, measurement in enumerate(measurements)
        ]

    def _complete_answer(self, measurement: Any, answer: Any) -> Any:
        return self._refine_answer(
            measurement, self._add_hint(measurement, answer, self.domain_of(measurement))
        )

    def _add_hint(self, measurement: Any, answer: Any, domain: Domain) -> Any:
        """Where nobody said of which kind a pattern is, and this one does not know it: who does."""
        if self._given or isinstance(answer, Exception) or answer.known:
            return answer
        kind = next(
            filter(lambda other_domain: self._knows(other_domain, measurement), _read_alike(domain)), None
        )
        if kind is None:
            return answer
        hint = f"It looks like one of the {kind.title}: repeat with --domain {kind.name}."
        return replace(answer, notes=(*answer.notes, hint))

    def _knows(self, domain: Domain, measurement: Any) -> bool:
        try:
            predictor, choice = self._predictor(domain)
        except SasnetError:  # no network of that kind is installed
            return False
        (outcome,) = predictor.outcomes([measurement], choice)
        return not isinstance(outcome, Exception) and outcome.known

    def _refine_answer(self, measurement: Any, answer: Any) -> Any:
        if not self._verify or isinstance(answer, Exception):
            return answer
        domain = self.domain_of(measurement)
        if not domain.refine:
            return SasnetError(f"{measurement.file}: --verify is for images; 'sasnet fit' verifies curves.")
        try:
            return domain.refine(measurement, answer, REFINING, self._teller(measurement))
        except Exception as error:  # one pattern must not stop the others
            return error

    def _teller(self, measurement: Any) -> Callable[[str], None] | None:
        """Tells of stages with the name of what is fitted."""
        tell, name = self._told, Path(measurement.file).name
        if measurement.entry:
            name = f"{name}, {measurement.entry}"
        return None if tell is None else lambda stage: tell(f"{name}: {stage}")

    def _predictor(self, domain: Domain) -> tuple[Predictor, Choice]:
        if domain.name not in self._opened:
            from ..predict.predictor import UnknownModelError, open_predictor

            predictor = open_predictor(domain.name)
            try:
                self._opened[domain.name] = predictor, predictor.choice(*astuple(self._wanted))
            except UnknownModelError as error:
                raise typer.BadParameter(str(error), param_hint="--models / --exclude") from None
        return self._opened[domain.name]


def outcomes(
    arguments: Iterable[str],
    read: Callable[[str], Iterable[Any]],
    answer: Callable[[list[Any]], list[Any]],
    window: tuple[float, float] | None,
    step: Callable[[], None],
    *,
    addresses: bool = False,
) -> Iterator[Outcome]:
    """Yield the outcome of each measurement in order, a few at a time.

    Measurements of small files run together, but none waits longer than `PATIENCE`; few of a large file are
    in memory. With `addresses`, `read` knows those on a Tiled server.
    """
    waiting: list[tuple[str, Any]] = []
    answered = -math.inf  # the first file is answered at once
    for path in expand(arguments, addresses=addresses):
        for pair in curves_of(path, read, window):
            waiting.append(pair)
            if len(waiting) >= CHUNK:
                yield from _answer(waiting, answer)
                waiting = []
                answered = time.monotonic()
        if time.monotonic() - answered > PATIENCE:
            yield from _answer(waiting, answer)
            waiting = []
            answered = time.monotonic()
        step()
    yield from _answer(waiting, answer)


def _answer(waiting: list[tuple[str, Any]], answer: Callable[[list[Any]], list[Any]]) -> Iterator[Outcome]:
    answered = iter(
        answer([measurement for _, measurement in waiting if not isinstance(measurement, Exception)])
    )
    for path, measurement in waiting:
        yield (
            (path, None, measurement)
            if isinstance(measurement, Exception)
            else (path, measurement, next(answered))
        )
