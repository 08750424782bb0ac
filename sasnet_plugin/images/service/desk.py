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
from .kinds import How, how_of, list_companions, measurement, readable, settle_kind, short, titles
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
    def page_parts(self) -> Any:
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
            curve: Curve | None = self.domain.curve(self.measurement)
            return curve
        return None


@dataclass
class ImageDesk:
    """Answers questions about images, and keeps what the next one will need."""

    _seen: OrderedDict[tuple[Any, ...], Seen] = field(default_factory=OrderedDict)

    def answer(self, request: Asked) -> Any:
        """Answer a question. Raises SasnetError with the reason if it cannot."""
        place, body = request.place, request.body
        assert place is not None
        reading = how_of(body)
        answers: dict[str, Callable[[], Any]] = {
            "image": lambda: plain(describe_image(self.open_image(place, reading), reading)),
            "picture": lambda: draw_picture(self.open_image(place, reading), body),
            "figure": lambda: figure(
                self.open_image(place, reading), int(body["number"]), bool(body["night"])
            ),
            "page": lambda: page(self.open_image(place, reading)),
            "kinds": lambda: kinds_say(place.path, place.entry, reading, list(titles())),
            "average": lambda: average(self.open_image(place, reading)),
        }
        return answers[request.do]()

    def open_image(self, place: Place, reading: How) -> Seen:
        """An image with its answer, read once as long as nothing of it changes."""
        path = Path(place.path)
        stamps = [
            _stamp(one_path) for one_path in (path, *(path.parent / name for name in list_companions(path)))
        ]
        if stamps[0] is None:
            raise SasnetError(f"{path.name}: no longer exists; see the list of images.")
        key = place.path, place.entry, reading, tuple(stamps)
        if key not in self._seen:
            self._seen[key] = look(place, reading)
            while len(self._seen) > IMAGES.kept:
                self._seen.popitem(last=False)
        self._seen.move_to_end(key)
        return self._seen[key]


def begin() -> Callable[[Asked, Any], tuple[str, Any]]:
    """Return what answers questions in a process of the pool: ("answer" or "problem", it)."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    desk = ImageDesk()

    def do(request: Asked, _: Any) -> tuple[str, Any]:
        try:
            return "answer", desk.answer(request)
        except Exception as error:  # the next question has its turn all the same
            path = request.place.path if request.place else "The image"
            return "problem", short(path, sentence_of(path, error))

    return do


def look(place: Place, reading: How) -> Seen:
    """Read and answer an image of the given or detected kind. Raises SasnetError if no kind can read it."""
    kind, reason = settle_kind(place.path, reading)
    if kind:
        try:
            return _look_as_kind(place, specification(kind), reading, reason)
        except SasnetError as error:
            reason = str(error)
    image = readable(place.path, place.entry, reading)
    return Seen(None, image, reason=short(place.path, reason))


def _look_as_kind(place: Place, domain: Domain, reading: How, reason: str) -> Seen:
    from ...predict.predictor import open_predictor

    image = measurement(place.path, domain, place.entry, reading)
    if image is None:
        raise DataError(f"{place.path}: holds no image number {place.entry}.")
    (answer,) = open_predictor(domain.name).outcomes([image])
    if isinstance(answer, Exception):
        return Seen(domain, image, reason=short(place.path, sentence_of(place.path, answer)))
    return Seen(domain, image, answer, reason)


def average(view: Seen) -> tuple[str, str]:
    """Return an isotropic image's average as text of q, I, dI and dq, with a file name. Raises SasnetError if
    it has a direction or no curve.
    """
    curve = view.average
    name = Path(view.measurement.file).name
    if curve is None:
        raise SasnetError(f"{name}: is not isotropic, so its azimuthal average cannot be fitted as a curve.")
    unit = f"I({curve.intensity_unit})" if curve.intensity_unit else "I"
    columns = {"q(1/A)": curve.q, unit: curve.intensity, "dI": curve.dintensity, "dq": curve.dq}
    columns_given = {title: values for title, values in columns.items() if values is not None}
    rows = (" ".join(f"{value:.7g}" for value in row) for row in zip(*columns_given.values(), strict=True))
    return f"{Path(name).stem}_average.dat", "\n".join([f"# {' '.join(columns_given)}", *rows]) + "\n"


def describe_image(view: Seen, reading: How) -> dict[str, Any]:
    image, domain = view.measurement, view.domain
    rows, columns = image.counts.shape
    isotropic = view.answer is not None and view.average is not None
    unfitted = _why_not_fitted(view)
    description: dict[str, Any] = {
        "kind": domain.name if domain else "", "title": domain.title if domain else CHOOSE,
        "said_by_user": bool(reading.kind), "geometry": list(reading.geometry), "entry": image.entry,
        "pixels": [columns, rows], "masked": float(1 - image.mask.mean()), "reason": view.reason,
        "notes": list(image.notes), "can_verify": not unfitted, "isotropic": isotropic, "unfitted": unfitted,
        "headline": "", "sure": False, "sentences": [], "figures": [],
    }  # fmt: skip
    return (
        description
        if view.page_parts is None
        else description | describe_answer(image, view.answer, view.page_parts)
    )


def _why_not_fitted(view: Seen) -> str:
    if view.domain is None or view.answer is None:
        return "Wait for the classification of this image before you fit it."
    if view.domain.refine is None:
        return f"{view.domain.title} cannot be simulated from an answer."
    why = view.domain.why_not_fitted
    return "" if why is None else why(view.measurement, view.answer)


def describe_answer(sentence: Any, answer: Any, parts_made: Any) -> dict[str, Any]:
    """Return headline and sentences of an answer, and the text around each figure."""
    verdict, sections = parts_made
    sentences = answer.sentences()
    notes = list(dict.fromkeys((*sentence.notes, *answer.notes)))
    return {
        "headline": verdict.text, "more": verdict.more, "sure": answer.known,
        "in_scope": answer.assessed_scope,
        "sentences": [
            text for text in sentences if text != verdict.text and not text.startswith("Note: ")
        ],
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


def draw_picture(view: Seen, body: Mapping[str, Any]) -> tuple[bytes, Any]:
    """The picture of an image, and what the page needs beside it; see `images.report.raster`."""
    from ..report.compared import as_seen
    from ..report.raster import Look, picture
    from ..report.raster_place import describe_axes

    look, image = Look(**body["look"]), as_seen(view.measurement)
    return picture(image, look), describe_axes(image, look)


def figure(view: Seen, number: int, night: bool) -> bytes:
    """Return a figure of the answer as PNG. Raises SasnetError if there is none."""
    from ...report.canvas import png

    sections = [] if view.page_parts is None else view.page_parts[1][1:]
    if not 0 <= number < len(sections) or (draw := sections[number].draw) is None:
        raise SasnetError("There is no such figure.")
    return png(draw, sections[number].size, night=night)


def page(view: Seen) -> tuple[str, bytes]:
    """Return file name and page of an answer's report. Raises SasnetError without an answer."""
    import tempfile

    from ..report.pages import answer_page

    if view.answer is None or view.domain is None:
        raise SasnetError("There is no answer to report; choose the kind of image first.")
    with tempfile.TemporaryDirectory(prefix="sasnet-report-") as folder:
        path = answer_page(view.domain, view.measurement, view.answer, Path(folder))
        return path.name, path.read_bytes()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
