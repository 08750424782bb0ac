"""Questions about images: of which kind a file's are, what is said of them, their pictures, and fits of
what they show.

Runs in a process of the pool, which is killed where a file takes too long.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.limits import sentence_of
from ..data.toml_files import COMMON
from ..domains import DEFAULT, PAGES, Domain, ReadOptions, has_tags, recognise_domain, specification
from ..files import put_whole
from ..fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ..predict import Answer
from ..predict.classes import ClassesFinding
from ..predict.findings import DistributionFinding
from ..predict.predictor import open_predictor
from ..report.canvas import png, upright
from ..report.summaries import summarise_in_one_line
from ..service.answers import plain
from ..service.fits import FitJob
from ..service.interactive import Asked, Place
from ..types import Curve, DataError, Image, SasnetError
from .report import COMPARISON_SIZE, answer_page, compute_signed_deviance, parts
from .sans.fitting import OrientedFit
from .sans.reading import SmallAngle
from .sans.report import again
from .settings import IMAGES

# --- Of which kind the images of a file are, and how they are read.


@dataclass(frozen=True)
class How:
    """How a user says that a file is read. Raises SasnetError for unknown kinds or settings."""

    kind: str = ""  #: Name of a domain; empty: as the file says.
    geometry: tuple[str, ...] = ()  #: ``name=value``, see `domains.ReadOptions`.

    def __post_init__(self) -> None:
        if self.kind not in ("", *titles()):
            raise SasnetError(f"{self.kind[:40]!r}: no such kind of image; choose {', '.join(titles())}.")
        longest = max(map(len, self.geometry), default=0)
        if len(self.geometry) > IMAGES.texts or longest > IMAGES.longest:
            raise SasnetError(
                f"Give at most {IMAGES.texts} settings name=value, each of {IMAGES.longest} characters."
            )
        # Names of files are for whoever may write beside the image.
        if any(setting.partition("=")[0].strip().endswith("_file") for setting in self.geometry):
            raise SasnetError("Give names of files in a TOML file next to the image, not here.")

    @property
    def reading(self) -> ReadOptions:
        return ReadOptions(geometry=self.geometry)


def how_of(body: Mapping[str, Any]) -> How:
    """Parse that from a question; errors as `How`."""
    return How(str(body.get("kind") or ""), tuple(map(str, body.get("geometry") or ())))


def titles() -> dict[str, str]:
    """Kinds of images and what is measured, by name."""
    return {name: specification(name).title for name in PAGES if name != DEFAULT}


def find_sure_kind(path: Path) -> str:
    """Detect a file's kind; empty if none is sure. Raises SasnetError if several are equally sure."""
    name = recognise_domain(path)
    return "" if name == DEFAULT else name


def settle_kind(path: str, reading: How) -> tuple[str, str]:
    """The kind that a file's images are read as, empty if it is to be chosen; and why, a sentence or none."""
    # A file that says it surely, but not all that this kind needs, is of another one if no third can read it.
    if reading.kind:
        return reading.kind, ""
    try:
        kind, reason = find_sure_kind(Path(path)), "The file does not give the kind of its images."
    except SasnetError as error:
        kind, reason = "", str(error)
    if kind:
        problem = _unread(path, kind, reading)
        if not problem:
            return kind, ""
        reason = f"Perhaps of {specification(kind).title}: {problem}"
    able = [name for name in titles() if name != kind and not _unread(path, name, reading)]
    if len(able) > 1:
        others = [name for name in titles() if name not in able]
        more = (
            f" With more settings of the geometry, {_listed(others)} are possible as well." if others else ""
        )
        reason = f"The file does not give the kind of its images. They can be read as {_listed(able)}.{more}"
    if len(able) == 1:
        title = specification(able[0]).title
        return able[0], f"Read as {title}: with the given geometry no other kind is possible."
    return "", reason


def _listed(names: Sequence[str]) -> str:
    """What kinds measure, the last after "or"."""
    *most, last = (specification(name).title for name in names)
    return f"{', '.join(most)} or {last}" if most else last


def _unread(path: str, kind: str, reading: How) -> str:
    try:
        image = measurement(path, specification(kind), 1, How(kind, reading.geometry))
    except SasnetError as error:
        return str(error)
    return "" if image is not None else "it holds no image."


def short(path: str, sentence: str) -> str:
    """A sentence without the folder of a file, which whoever asks knows."""
    return sentence.replace(f"{Path(path).parent}/", "")


def list_companions(path: Path) -> list[str]:
    """Names of files beside an image that say how it was measured, there or not."""
    return [path.with_suffix(".toml").name, COMMON]


def measurements(path: str, domain: Domain, reading: How) -> Iterator[Any]:
    return iter(domain.read(path, reading.reading))


def measurement(path: str, domain: Domain, number: int, reading_options: How = How()) -> Any | None:
    """One of them, by its number from 1; None where there are fewer."""
    if number == 1:
        return next(measurements(path, domain, reading_options), None)
    first = next(measurements(path, domain, reading_options), None)
    if first is not None and first.entry.startswith("frame "):  # stacks are read from there on
        reading = ReadOptions(entry=str(number), geometry=reading_options.geometry)
        return next(iter(domain.read(path, reading)), None)
    return next(islice(measurements(path, domain, reading_options), number - 1, None), None)


def readable(path: str, number: int, reading: How) -> Any:
    """Read an image for its picture alone, by the first kind that can; without a geometry if none reads with
    it. Raises DataError with the reason of a kind that gives tags, which needs least.
    """
    try:
        return _readable(path, number, reading)
    except SasnetError:
        return _readable(path, number, How())


def _readable(path: str, number: int, how: How) -> Any:
    problem: Exception | None = None
    # Kinds that say tags alone need no geometry: they read most.
    for domain in sorted(map(specification, titles()), key=has_tags, reverse=True):
        try:
            one = measurement(path, domain, number, How(geometry=how.geometry))
        except SasnetError as error:
            problem = problem or error
            continue
        if one is not None:
            return one
    raise problem or DataError(f"{path}: holds no image number {number}.")


# --- What was simulated again from an answer about an image, beside what was measured.


@dataclass(frozen=True)
class Compared:
    """An image simulated again."""

    image: Image  #: As it was compared: perhaps of fewer pixels than were measured.
    #: simulated, residual: (rows, columns), expected counts, and standard deviations.
    simulated: NDArray[np.float64]
    residual: NDArray[np.float64]


def compare(image: Image, answer: Answer) -> Compared | None:
    """What a fit of an answer simulates; None where nothing was fitted."""
    for finding in answer.findings:
        if isinstance(finding, OrientedFit):
            small, simulated, residual = again(image, finding)
            remaining = compute_signed_deviance(small.counts, simulated) if residual is None else residual
            return _as_seen(Compared(small, simulated, remaining))
        if (result := getattr(finding, "result", None)) is not None:
            return Compared(result.image, result.simulated, result.residual)
    return None


def as_seen(image: Image) -> Image:
    """An image over q with qx to the right and qy up, its first row above; others as they are."""
    return _flip_rows(upright(image)) if isinstance(image.geometry, SmallAngle) else image


def _as_seen(compared: Compared) -> Compared:
    return Compared(_flip_rows(compared.image), compared.simulated[::-1], compared.residual[::-1])


def _flip_rows(image: Image) -> Image:
    geometry: Any = image.geometry
    names = [
        n for n in ("qx", "qy", "weight", "along", "across", "error") if getattr(geometry, n) is not None
    ]
    turned = replace(geometry, **{name: getattr(geometry, name)[::-1] for name in names})
    return replace(image, counts=image.counts[::-1], mask=image.mask[::-1], geometry=turned)


# --- The lines of a file's images in a list: of which kind they are, what they may show, how they
# --- look.

#: What is said of an image that does not tell its kind.
CHOOSE = "kind not known"


def is_surely_image(path: str) -> bool:
    """Whether a file is an image by what it is itself."""
    try:
        return bool(find_sure_kind(Path(path)))
    except SasnetError:  # of several kinds
        return True


def list_images(path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each image of a file, as a question says that it is read: see `list_lines`."""
    return list_lines(path, how_of(body))


def list_lines(path: str, reading: How) -> list[dict[str, Any]]:
    """List the first `IMAGES.most` images of a file. Raises SasnetError if no kind can read it."""
    # Entries are as of curves (`interactive.Desk.look`) plus ``image`` (the kind, empty if to be chosen),
    # ``answer``, ``thumb`` (PNG in base64), ``known``, ``note`` (why this kind), ``list_companions`` (files
    # that count
    # as well) and ``further`` (there are more images).
    kind, reason = settle_kind(path, reading)
    if kind:
        try:
            return _list_kind(path, specification(kind), reading, short(path, reason))
        except SasnetError as error:
            reason = f"As {specification(kind).title}: {error}"
    image = readable(path, 1, reading)
    return [_line(path, image, answer=CHOOSE, doubt=short(path, reason))]


def _list_kind(path: str, domain: Domain, reading: How, note: str) -> list[dict[str, Any]]:
    predictor, lines = open_predictor(domain.name), []
    images = measurements(path, domain, reading)
    first = islice(images, IMAGES.most)
    while batch := list(islice(first, IMAGES.batch)):
        outcomes = predictor.outcomes(batch)
        lines += [
            {**_describe_answer(path, domain, *pair), "note": note}
            for pair in zip(batch, outcomes, strict=True)
        ]
    if not lines:
        raise DataError(f"{path}: holds no image.")
    if len(lines) == IMAGES.most and next(images, None) is not None:
        lines[-1]["further"] = True
    return lines


def _describe_answer(path: str, domain: Domain, image: Any, answer: Any) -> dict[str, Any]:
    if isinstance(answer, Exception):
        sentence = short(path, sentence_of(path, answer))
        return _line(path, image, image=domain.name, kind=domain.title, answer="no answer", doubt=sentence)
    classes = answer.finding(ClassesFinding)
    angle = "" if classes else _symbol(answer)
    best = next(iter(classes.classes), None) if classes else None
    return _line(
        path, image, image=domain.name, kind=domain.title, group=domain.title,
        model="" if best is None else best.name, known=answer.known,
        answer=f"{angle}{summarise_in_one_line(answer)}",
        probability=_probability(answer, best),
        doubt=answer.caution if answer.known else answer.scope.outside,
    )  # fmt: skip


def _probability(answer: Any, best: Any) -> float | None:
    """Probability of what an answer says; None where it says that it knows nothing."""
    if not answer.known:
        return None
    return answer.assessed_scope if best is None else float(best.probability)


def _symbol(answer: Any) -> str:
    """Symbol of the angle whose distribution is in an answer's line."""
    angles = answer.finding(DistributionFinding) if answer.known else None
    return f"{angles.symbol}: " if angles else ""


def _line(path: str, measurement: Any, **texts: Any) -> dict[str, Any]:
    from .raster import thumbnail

    rows, columns = measurement.counts.shape
    thumb = base64.b64encode(thumbnail(as_seen(measurement))[0]).decode("ascii")
    empty: dict[str, Any] = {
        "image": "", "kind": "", "group": "", "model": "", "structure_factor": None, "probability": None,
        "known": False, "doubt": "", "spark": [], "points": None, "further": False, "note": "",
    }  # fmt: skip
    return {
        **empty, "entry": measurement.entry, "pixels": [columns, rows], "thumb": thumb,
        "beside": list_companions(Path(path)), **texts,
    }  # fmt: skip


def kinds_say(path: str, number: int, reading: How, names: Sequence[str]) -> list[dict[str, Any]]:
    """What each kind says of an image: read and known or not, and in one line what it sees."""
    # A network that was trained on one kind alone may be sure of an image of another.
    return [_try_kind(path, number, How(name, reading.geometry)) for name in names]


def _try_kind(path: str, number: int, reading: How) -> dict[str, Any]:
    domain = specification(reading.kind)
    description = {
        "kind": domain.name,
        "title": domain.title,
        "reads": False,
        "known": False,
        "in_scope": None,
    }
    try:
        image = measurement(path, domain, number, reading)
        if image is None:
            raise DataError(f"{path}: holds no image number {number}.")
        (answer,) = open_predictor(domain.name).outcomes([image])
        if isinstance(answer, Exception):
            raise answer
    except Exception as error:  # one kind must not stop the others
        return {**description, "said": short(path, sentence_of(path, error))}
    line = _describe_answer(path, domain, image, answer)
    return {
        **description, "reads": True, "known": answer.known, "in_scope": answer.assessed_scope,
        "said": line["answer"],
    }  # fmt: skip


# --- What is answered of one image while somebody waits: the answer, its figures, the picture, all
# --- kinds.


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
    if view.page_parts is None:
        return description
    return description | _join_average(describe_answer(image, view.answer, view.page_parts), view.answer)


def _join_average(said: dict[str, Any], answer: Any) -> dict[str, Any]:
    """Say in one headline what the shape is among few shapes, and among all models of curves."""
    introduced = (finding for finding in answer.findings if getattr(finding, "introduction", ""))
    average = next((text for finding in introduced for text in finding.sentences()), "")
    if not average:
        return said
    kept = {name: [text for text in said[name] if text != average] for name in ("sentences", "notes")}
    headline = f"{said['headline'].rstrip('.')}; {average[0].lower()}{average[1:]}"
    return {**said, **kept, "more": said["more"].replace(average, ""), "headline": headline}


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
    return part.size == COMPARISON_SIZE


def draw_picture(view: Seen, body: Mapping[str, Any]) -> tuple[bytes, Any]:
    """The picture of an image, and what the page needs beside it; see `images.report.raster`."""
    from .raster import Look, describe_axes, picture

    look, image = Look(**body["look"]), as_seen(view.measurement)
    return picture(image, look), describe_axes(image, look)


def figure(view: Seen, number: int, night: bool) -> bytes:
    """Return a figure of the answer as PNG. Raises SasnetError if there is none."""
    sections = [] if view.page_parts is None else view.page_parts[1][1:]
    if not 0 <= number < len(sections) or (draw := sections[number].draw) is None:
        raise SasnetError("There is no such figure.")
    return png(draw, sections[number].size, night=night)


def page(view: Seen) -> tuple[str, bytes]:
    """Return file name and page of an answer's report. Raises SasnetError without an answer."""
    import tempfile

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


# --- Physics fitted from the answer to an image on, simulated again and compared: `--verify` of the
# --- command.

#: Files of the pictures, by what they show.
PARTS = ("measured", "simulated", "residual")


def verify_by_fit(job: FitJob, report: Callable[[str], None]) -> tuple[dict[str, Any], list[str]]:
    """Return a fit's result as plain data and the names of files written; `report` gets each stage. Raises
    SasnetError if there is nothing to fit.
    """
    report("the image is read")
    (place,) = job.places
    view = look(place, how_of(job.body))
    domain = _find_fitted_kind(place, view)
    assert domain.refine is not None
    fitted = domain.refine(view.measurement, view.answer, float(job.body.get("time_limit", 30.0)), report)
    report("pictures are drawn")
    again = [finding for finding in fitted.findings if hasattr(finding, "title")]
    new = [note for note in fitted.notes if note not in view.answer.notes]
    if not again:
        raise SasnetError(" ".join(new) or "Nothing was fitted.")
    folder = Path(job.folder)
    parts_made = parts(domain, view.measurement, fitted, looked=False)
    files, pictures = _write_results(domain, view.measurement, fitted, parts_made, folder)
    level, headline, doubt = _verdict(fitted, again[-1], new)
    summary = {
        "verdict": level, "headline": headline, "doubt": doubt, "next": "", "purpose": "", "fits": [],
        "kind": domain.name, "geometry": list(job.body.get("geometry") or ()),
    }  # fmt: skip
    return {
        "image": plain({**describe_answer(view.measurement, fitted, parts_made), **summary, **pictures})
    }, files


def _find_fitted_kind(place: Place, view: Seen) -> Domain:
    name = Path(place.path).name
    if view.domain is None or view.answer is None:
        raise SasnetError(f"{name}: has no answer that a fit can start from: {view.reason}")
    if view.domain.refine is None:
        raise SasnetError(f"{name}: {view.domain.title} are not fitted; SANS and GISAS images are.")
    return view.domain


def _judge_oriented(again: Any, sentence: str) -> tuple[str, str, str]:
    if not again.verified:
        return DOES_NOT, sentence, ""
    return (DOUBTS if again.caution else EXPLAINS), again.headline or sentence, again.caution


def _verdict(fitted: Any, again: Any, new: Sequence[str]) -> tuple[str, str, str]:
    """Level, headline and doubt, in the words of the fit; `new` are notes that it has added."""
    sentence = again.sentences()[0]
    if hasattr(again, "verified"):
        return _judge_oriented(again, sentence)
    doubt = next(iter(new), sentence)
    if fitted.in_scope < 0.5:  # as the inversion counts it
        return DOES_NOT, doubt, ""
    angles = fitted.finding(DistributionFinding)
    headline = f"p({angles.symbol}): {next(iter(angles.sentences()), sentence)}" if angles else sentence
    return (EXPLAINS, headline, "") if fitted.in_scope >= 1.0 else (DOUBTS, headline, doubt)


def _write_results(
    domain: Domain, image: Any, fitted: Any, parts_made: Any, folder: Path
) -> tuple[list[str], dict[str, Any]]:
    """Report, answer and pictures; names of the files, and what the page needs beside the pictures."""
    from . import raster
    from .raster import describe_axes

    folder.mkdir(parents=True, exist_ok=True)
    names = [answer_page(domain, image, fitted, folder, parts_made).name]
    content = {"answer.json": json.dumps(plain(fitted.as_dict()), indent=1).encode()}
    again = compare(image, fitted)
    pictures: dict[str, Any] = {"parts": [], "about": None}
    if again is not None:
        comparison = raster.draw_comparison(again.image, again.simulated, again.residual)
        content |= {f"{name}.png": data for name, data in comparison.items()}
        pictures = {
            "parts": [f"{name}.png" for name in PARTS],
            "about": describe_axes(again.image, raster.Look()),
        }
    content |= _figures(parts_made[1][1:])
    for name, data in content.items():
        put_whole(folder / name, data, "picture of a fit")
    return [*names, *content], pictures


def _figures(sections: Sequence[Any]) -> dict[str, bytes]:
    figures = [(number, part) for number, part in enumerate(sections) if part.draw and not compares(part)]
    return {
        figure_name(number, night): png(part.draw, part.size, night=night)
        for number, part in figures
        for night in (False, True)
    }


def figure_name(number: int, night: bool) -> str:
    return f"figure-{number}{'-night' if night else ''}.png"
