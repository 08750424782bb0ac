"""What is answered of one image while somebody waits: the answer, its figures, the picture, all kinds.

Runs in a process of the pool, which is killed where a file takes too long.
"""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ...data.failure import sentence_of
from ...domains import Domain, specification
from ...service.interactive import Asked
from ...service.messages import plain
from ...service.places import Place
from ...types import Curve, DataError, SasnetError
from ..settings import IMAGES
from .kinds import How, beside, how_of, measurement, readable, settled, short, titles
from .listed import CHOOSE, kinds_say


@dataclass(frozen=True)
class Seen:
    """An image as it was read and answered."""

    #: None where nobody has said of which kind it is; then `measurement` is for its picture alone.
    domain: Domain | None
    measurement: Any
    answer: Any = None
    reason: str = ""  #: Why there is no answer, or why it is of this kind.

    @cached_property
    def made(self) -> Any:
        """Parts of the page, `images.report.pages.parts`; None without an answer."""
        from ..report.pages import parts

        if self.answer is None or self.domain is None:
            return None
        return parts(self.domain, self.measurement, self.answer, looked=False)

    @cached_property
    def average(self) -> Curve | None:
        """The average over all directions of an isotropic image; None of another one."""
        if self.domain is None or self.domain.curve is None:
            return None
        with contextlib.suppress(DataError):  # too few pixels count
            found: Curve | None = self.domain.curve(self.measurement)
            return found
        return None


@dataclass
class ImageDesk:
    """Answers questions about images, and keeps what the next one will need."""

    _seen: OrderedDict[tuple[Any, ...], Seen] = field(default_factory=OrderedDict)

    def answer(self, asked: Asked) -> Any:
        """Answer a question. Raises SasnetError with the reason if it cannot."""
        place, body = asked.place, asked.body
        assert place is not None
        how = how_of(body)
        answers: dict[str, Callable[[], Any]] = {
            "image": lambda: plain(opened(self.seen(place, how), how)),
            "picture": lambda: drawn(self.seen(place, how), body),
            "figure": lambda: figure(self.seen(place, how), int(body["number"]), bool(body["night"])),
            "page": lambda: page(self.seen(place, how)),
            "kinds": lambda: kinds_say(place.path, place.entry, how, list(titles())),
            "average": lambda: average(self.seen(place, how)),
        }
        return answers[asked.do]()

    def seen(self, place: Place, how: How) -> Seen:
        """An image with its answer, read once as long as nothing of it changes."""
        path = Path(place.path)
        stamps = [_stamp(one) for one in (path, *(path.parent / name for name in beside(path)))]
        if stamps[0] is None:
            raise SasnetError(f"{path.name}: no longer exists; see the list of images.")
        key = place.path, place.entry, how, tuple(stamps)
        if key not in self._seen:
            self._seen[key] = look(place, how)
            while len(self._seen) > IMAGES.kept:
                self._seen.popitem(last=False)
        self._seen.move_to_end(key)
        return self._seen[key]


def begin() -> Callable[[Asked, Any], tuple[str, Any]]:
    """Return what answers questions in a process of the pool: ("answer" or "problem", it)."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    desk = ImageDesk()

    def do(asked: Asked, _: Any) -> tuple[str, Any]:
        try:
            return "answer", desk.answer(asked)
        except Exception as error:  # the next question has its turn all the same
            path = asked.place.path if asked.place else "The image"
            return "problem", short(path, sentence_of(path, error))

    return do


def look(place: Place, how: How) -> Seen:
    """Read and answer an image of the given or detected kind. Raises SasnetError if no kind can read it."""
    kind, reason = settled(place.path, how)
    if kind:
        try:
            return _of_kind(place, specification(kind), how, reason)
        except SasnetError as error:
            reason = str(error)
    one = readable(place.path, place.entry, how)
    return Seen(None, one, reason=short(place.path, reason))


def _of_kind(place: Place, domain: Domain, how: How, reason: str) -> Seen:
    from ...predict.predictor import open_predictor

    one = measurement(place.path, domain, place.entry, how)
    if one is None:
        raise DataError(f"{place.path}: holds no image number {place.entry}.")
    (answer,) = open_predictor(domain.name).outcomes([one])
    if isinstance(answer, Exception):
        return Seen(domain, one, reason=short(place.path, sentence_of(place.path, answer)))
    return Seen(domain, one, answer, reason)


def average(seen: Seen) -> tuple[str, str]:
    """Return an isotropic image's average as text of q, I, dI and dq, with a file name. Raises SasnetError if
    it has a direction or no curve.
    """
    curve = seen.average
    name = Path(seen.measurement.file).name
    if curve is None:
        raise SasnetError(f"{name}: is not isotropic, so its azimuthal average cannot be fitted as a curve.")
    unit = f"I({curve.intensity_unit})" if curve.intensity_unit else "I"
    columns = {"q(1/A)": curve.q, unit: curve.intensity, "dI": curve.dintensity, "dq": curve.dq}
    given = {title: values for title, values in columns.items() if values is not None}
    rows = (" ".join(f"{value:.7g}" for value in row) for row in zip(*given.values(), strict=True))
    return f"{Path(name).stem}_average.dat", "\n".join([f"# {' '.join(given)}", *rows]) + "\n"


def opened(seen: Seen, how: How) -> dict[str, Any]:
    one, domain = seen.measurement, seen.domain
    rows, columns = one.counts.shape
    isotropic = seen.answer is not None and seen.average is not None
    unfitted = _why_not_fitted(seen)
    found: dict[str, Any] = {
        "kind": domain.name if domain else "", "title": domain.title if domain else CHOOSE,
        "said_by_user": bool(how.kind), "geometry": list(how.geometry), "entry": one.entry,
        "pixels": [columns, rows], "masked": float(1 - one.mask.mean()), "reason": seen.reason,
        "notes": list(one.notes), "can_verify": not unfitted, "isotropic": isotropic, "unfitted": unfitted,
        "headline": "", "sure": False, "sentences": [], "figures": [],
    }  # fmt: skip
    return found if seen.made is None else found | answered(one, seen.answer, seen.made)


def _why_not_fitted(seen: Seen) -> str:
    if seen.domain is None or seen.answer is None:
        return "Wait for the classification of this image before you fit it."
    if seen.domain.refine is None:
        return f"{seen.domain.title} cannot be simulated from an answer."
    why = seen.domain.why_not_fitted
    return "" if why is None else why(seen.measurement, seen.answer)


def answered(one: Any, answer: Any, made: Any) -> dict[str, Any]:
    """Return headline and sentences of an answer, and the text around each figure."""
    verdict, sections = made
    sentences = answer.sentences()
    notes = list(dict.fromkeys((*one.notes, *answer.notes)))
    return {
        "headline": verdict.text, "more": verdict.more, "sure": answer.known,
        "in_scope": float(answer.in_scope),
        "sentences": [one for one in sentences if one != verdict.text and not one.startswith("Note: ")],
        "notes": notes, "answer": answer.as_dict(),
        "figures": [_figure(part) for part in sections[1:]],
    }  # fmt: skip


def _figure(part: Any) -> dict[str, Any]:
    return {
        "title": part.title, "text": part.text, "table": [list(row) for row in part.table],
        "drawn": part.draw is not None and not compares(part),
    }  # fmt: skip


def compares(part: Any) -> bool:
    """Whether a section shows measured, simulated and residual, which the page shows itself."""
    from ..report.patterns import COMPARISON_SIZE

    return part.size == COMPARISON_SIZE


def drawn(seen: Seen, body: Mapping[str, Any]) -> tuple[bytes, Any]:
    """The picture of an image, and what the page needs beside it; see `images.report.raster`."""
    from ..report.compared import as_seen
    from ..report.raster import Look, picture
    from ..report.raster_place import about

    look, one = Look(**body["look"]), as_seen(seen.measurement)
    return picture(one, look), about(one, look)


def figure(seen: Seen, number: int, night: bool) -> bytes:
    """Return a figure of the answer as PNG. Raises SasnetError if there is none."""
    from ...report.canvas import png

    sections = [] if seen.made is None else seen.made[1][1:]
    if not 0 <= number < len(sections) or (draw := sections[number].draw) is None:
        raise SasnetError("There is no such figure.")
    return png(draw, sections[number].size, night=night)


def page(seen: Seen) -> tuple[str, bytes]:
    """Return file name and page of an answer's report. Raises SasnetError without an answer."""
    import tempfile

    from ..report.pages import answer_page

    if seen.answer is None or seen.domain is None:
        raise SasnetError("There is no answer to report; choose the kind of image first.")
    with tempfile.TemporaryDirectory(prefix="sasnet-report-") as folder:
        path = answer_page(seen.domain, seen.measurement, seen.answer, Path(folder))
        return path.name, path.read_bytes()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
