"""Measurements of several domains in one call: each read and answered as its specification says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..domains import DEFAULT, PAGES, Domain, ReadOptions, recognised, specification
from ..types import DataError, SasnetError

if TYPE_CHECKING:
    from ..predict import Answer, Predictor
    from ..predict.decoding import Choice


#: Seconds for the physics of one pattern.
REFINING = 30.0


def _may_be_image(path: str, domain: Domain) -> bool:
    """Whether a file that was read as of a domain may hold images of another kind."""
    if domain.name != DEFAULT:
        return True
    from ..data.images.formats import may_hold_images

    return may_hold_images(Path(path))


@dataclass(frozen=True)
class Wanted:
    """Which models are chosen from, how many are listed, and how they are weighted (`class_prior.PRIORS`)."""

    top: int
    models: list[str] | None
    exclude: list[str] | None
    prior: str


class Kinds:
    """Reads and answers measurements.

    Parameters
    ----------
    domain : str or None
        Of all files; None asks each file.
    verify : bool
        Answers are refined by physics and simulated again.
    told : callable, optional
        Told of the stages of that.
    """

    def __init__(
        self,
        domain: str | None,
        wanted: Wanted,
        reading: ReadOptions,
        *,
        verify: bool = False,
        told: Callable[[str], None] | None = None,
    ) -> None:
        self._given = specification(domain).name if domain else None
        self._wanted = wanted
        self._reading = reading
        self._verify, self._told = verify, told
        self._opened: dict[str, tuple[Predictor, Choice]] = {}
        self._domains: dict[str, Domain] = {}  # by file
        if wanted.models or wanted.exclude:  # wrong names are wrong usage, before the first file is read
            self._predictor(specification(domain or DEFAULT))

    def read(self, path: str) -> Iterable[Any]:
        """The measurements of a file."""
        domain = specification(self._given or recognised(Path(path)))
        try:
            for one in domain.read(path, self._reading):
                self._domains[one.file] = domain
                yield one
        except DataError as error:
            if self._given or not _may_be_image(path, domain):
                raise
            others = ", ".join(name for name, page in PAGES.items() if name not in (DEFAULT, domain.name))
            if domain.name == DEFAULT:
                raise DataError(
                    f"{path}: it holds images, and no curve; say of what kind they are: --domain {others}."
                ) from error
            said = str(error).rstrip(".?")
            raise DataError(f"{said}; or say what kind of image it is: --domain {others}.") from error

    def together(self, paths: Sequence[str | SasnetError]) -> Any:
        """The measurements of several files as one, of a sample in several settings.

        Raises
        ------
        SasnetError
            A file cannot be read, or such measurements have no settings.
        """
        found: list[Any] = []
        together: Callable[[Sequence[Any]], Any] | None = None
        for path in paths:
            if isinstance(path, SasnetError):
                raise path
            found += self.read(path)
            domain = self.domain_of(found[-1]) if found else None
            together = domain.together if domain else None
            if together is None:
                title = domain.title if domain else "files without measurements"
                raise SasnetError(f"{path}: {title} are no settings of one sample; leave --set out.")
        assert together is not None
        return together(found)

    def domain_of(self, measurement: Any) -> Domain:
        """The domain that a measurement was read by."""
        return self._domains[measurement.file]

    def answers(self, measurements: Sequence[Any]) -> list[Answer | Exception]:
        """An answer or an exception for each, in their order."""
        found: dict[int, Any] = {}
        domains = {domain.name: domain for domain in map(self.domain_of, measurements)}
        for name, domain in domains.items():
            rows = [row for row, one in enumerate(measurements) if self.domain_of(one).name == name]
            predictor, choice = self._predictor(domain)
            asked = [measurements[row] for row in rows]
            answers = [self._hinted(*pair, domain) for pair in zip(
                asked, predictor.outcomes(asked, choice), strict=True)]  # fmt: skip
            found |= zip(rows, answers, strict=True)
        return [self._refined(measurements[row], found[row]) for row in range(len(measurements))]

    def _hinted(self, measurement: Any, answer: Any, domain: Domain) -> Any:
        """Where nobody said of which kind a pattern is, and this one does not know it: who does."""
        if self._given or isinstance(answer, Exception) or answer.known:
            return answer
        for name, other in ((name, specification(name)) for name in PAGES):
            if name == domain.name or other.read != domain.read:
                continue
            try:
                predictor, choice = self._predictor(other)
                (said,) = predictor.outcomes([measurement], choice)
            except SasnetError:  # no network of that kind is installed
                continue
            if not isinstance(said, Exception) and said.known:
                hint = f"It looks like one of the {other.title}: repeat with --domain {name}."
                return replace(answer, notes=(*answer.notes, hint))
        return answer

    def _refined(self, measurement: Any, answer: Any) -> Any:
        if not self._verify or isinstance(answer, Exception):
            return answer
        domain = self.domain_of(measurement)
        if not domain.refine:
            return SasnetError(f"{measurement.file}: --verify is for patterns; 'sasnet fit' verifies curves.")
        try:
            return domain.refine(measurement, answer, REFINING, self._teller(measurement))
        except Exception as error:  # one pattern must not stop the others
            return error

    def _teller(self, measurement: Any) -> Callable[[str], None] | None:
        """Tells of stages with the name of what is fitted."""
        told, name = self._told, Path(measurement.file).name
        if measurement.entry:
            name = f"{name}, {measurement.entry}"
        return None if told is None else lambda stage: told(f"{name}: {stage}")

    def _predictor(self, domain: Domain) -> tuple[Predictor, Choice]:
        if domain.name not in self._opened:
            from ..predict.predictor import UnknownModelError, open_predictor

            predictor = open_predictor(domain.name)
            try:
                self._opened[domain.name] = predictor, predictor.choice(*astuple(self._wanted))
            except UnknownModelError as error:
                raise typer.BadParameter(str(error), param_hint="--models / --exclude") from None
        return self._opened[domain.name]
