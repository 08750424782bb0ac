"""Frames in their order: what each file says of its sample, where models change, how parameters go.

A sequential test: after each frame the classes' probabilities are those of all counts so far, and the answer
is settled when one of them has stayed above a threshold for some frames. Were the probabilities exact, no
more than one minus the threshold of the settled answers would be wrong, whenever one stops (Wald, Sequential
Analysis, 1947); how many are was measured with simulated samples (docs/studies.md).
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.limits import HDF5
from ..digits import unit_text
from ..files import figure_mark, plain_cell, put_whole
from ..fitting.task import Start
from ..predict import Answer
from ..predict.classes import ClassesFinding
from ..types import SasnetError
from ..wording import option
from .journal import Record, best_of, name_of

# --- A table that grows by a line as it comes; an earlier one gives way with its first answer, not
# --- before.

_HOW: dict[str, Any] = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}


class Growing:
    """An opened table that others can read; lines go to `aside` while an earlier table stays."""

    def __init__(self, path: Path, aside: Path | None) -> None:
        self._path, self.aside = path, aside
        self._file = (aside or path).open("w", **_HOW)
        #: Why the first line has no answer.
        self.reason = ""

    def add(self, cells: Sequence[Any], note: str = "") -> None:
        """Write a line; with a note it is no answer."""
        self.reason = self.reason or note
        self.write(cells)
        if self.aside is not None and not note:
            self._file.close()
            os.replace(self.aside, self._path)
            self.aside = None
            self._file = self._path.open("a", **_HOW)

    def write(self, cells: Sequence[Any]) -> None:
        """Write a line that is no frame's."""
        csv.writer(self._file).writerow(cells)
        self._file.flush()

    def close(self) -> None:
        """Let go of it, and of lines that took no place."""
        self._file.close()
        if self.aside is not None:
            self.aside.unlink(missing_ok=True)


@contextlib.contextmanager
def growing(path: Path, head: Iterable[str]) -> Iterator[Growing]:
    """Open a table to add lines to. Raises SasnetError if it cannot be written, or if no line is an answer
    and an earlier table lies there, which then stays.
    """
    table: Growing | None = None
    try:
        earlier = path.is_file() and path.stat().st_size > 0
        table = Growing(path, path.with_name(f".{path.name}.sasnet-tmp{os.getpid()}") if earlier else None)
        table.write(list(head))
        yield table
        if table.aside is not None:
            raise SasnetError(
                f"{path}: no frame has an answer ({table.reason.rstrip('.') or 'no frames were read'}), so"
                f" the earlier table was kept; check the files given."
            )
    except OSError as error:
        raise SasnetError(
            f"{path}: the table cannot be written ({error.strerror or error}); name another file."
        ) from error
    finally:
        if table is not None:
            table.close()


# --- Frames of one sample added up as they come: probabilities against counts, and when the answer
# --- is settled.


@dataclass(frozen=True)
class SettledSettings:
    """When an answer is settled."""

    #: Probability of a class; calibrated, so that one answer in twenty may be wrong.
    probability: float = 0.95
    #: Frames in a row for which it stays above: looking often must not make chance hits count.
    frames: int = 3
    #: Times the counts at the first of these that there must be at the last: frames that are short beside
    #: what is counted already say nothing new.
    growth: float = 1.0


SETTLED = SettledSettings()
#: What stands before the classes in a line.
HEAD = ("frame", "file", "entry", "counts", "in_scope")


@dataclass
class Sequential:
    """The test after each look."""

    settings: SettledSettings
    settled: str = ""  #: Class or group that is settled; empty where none is yet.
    _leading: str = ""
    _lasted: int = field(default=0)
    _since: float = 0.0

    def look(self, shares: Mapping[str, float], is_known: bool, counts: float = 0.0) -> bool:
        """Take the probabilities of all that is counted, and its counts; whether the answer is settled."""
        best = max(shares, key=shares.__getitem__, default="")
        if not is_known or shares.get(best, 0.0) < self.settings.probability:
            self._leading, self._lasted = "", 0
        elif best == self._leading:
            self._lasted += 1
        else:
            self._leading, self._lasted, self._since = best, 1, counts
        if self._lasted >= self.settings.frames and counts >= self.settings.growth * self._since:
            self.settled = self.settled or best
        return bool(self.settled)


@dataclass(frozen=True)
class Look:
    """The answer for all frames so far."""

    number: int  #: From 1.
    #: file, entry: of the newest.
    file: str
    entry: str
    counts: float = math.nan  #: Of all.
    in_scope: float = math.nan
    classes: dict[str, float] = field(default_factory=dict)  #: Probabilities.
    settled: str = ""  #: The class that is settled; empty where none is yet.
    note: str = ""  #: Why a frame was not added, or there is no answer; else empty.


def recognise(
    frames: Iterable[tuple[str, Any]],
    added: Callable[[Any, Any], Any],
    answers: Callable[[Sequence[Any]], Sequence[Answer | Exception]],
    settings: SettledSettings = SETTLED,
) -> Iterator[Look]:
    """Answer the sum of all frames after each."""
    # `added` adds two measurements of one sample and setting, or raises SasnetError.
    total: Any = None
    test = Sequential(settings)
    for number, (file, frame) in enumerate(frames, start=1):
        entry = str(getattr(frame, "entry", ""))
        try:
            total = _unless_failed(frame) if total is None else added(total, _unless_failed(frame))
            answer = _unless_failed(*answers([total]))
        except SasnetError as error:
            yield Look(number, file, entry, note=str(error), settled=test.settled)
            continue
        named_classes = answer.finding(ClassesFinding)
        assert named_classes is not None
        classes = dict(zip(named_classes.head.labels, map(float, named_classes.probability), strict=True))
        test.look(classes, answer.known)
        yield Look(number, file, entry, float(total.counts.sum()), answer.in_scope, classes, test.settled)


def write(looks: Iterable[Look], path: Path, labels: Sequence[str]) -> list[Look]:
    """Write a line for each look as it comes. Raises SasnetError if the table cannot be written, or if no
    frame has an answer and an earlier table lies there.
    """
    looks_kept: list[Look] = []
    with growing(path, [*HEAD, *labels, "settled", "note"]) as table:
        for look in looks:
            numbers = [look.counts, look.in_scope, *(look.classes.get(name, math.nan) for name in labels)]
            cells = [f"{x:.6g}" if math.isfinite(x) else "" for x in numbers]
            names = [plain_cell(text) for text in (look.file, look.entry)]
            table.add([look.number, *names, *cells, look.settled, plain_cell(look.note)], look.note)
            looks_kept.append(look)
    return looks_kept


def _unless_failed(outcome: Any) -> Any:
    """What was found, unless that is why there is nothing."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def describe_recognition(looks: Sequence[Look]) -> str:
    """Whether the answer is settled, and since when."""
    first = next((look for look in looks if look.settled), None)
    answered_looks = [look for look in looks if look.classes]
    if first is not None:
        return (
            f"Converged after frame {first.number}, {first.counts:,.0f} counts: {first.settled}, with a"
            f" probability of at least {SETTLED.probability:.0%} in {SETTLED.frames} frames in a row."
        )
    if not answered_looks:
        return "No frame has an answer."
    return _not_settled(answered_looks[-1])


def _not_settled(last: Look) -> str:
    best = max(last.classes, key=last.classes.__getitem__)
    doubt = "" if last.in_scope > 0.5 else ", and it may be nothing that the network knows"
    return (
        f"Not converged after {last.counts:,.0f} counts: {best} has {last.classes[best]:.0%}{doubt};"
        f" count longer, or use {option('next')} to find the most informative setting."
    )


# --- Frames in their order: what each file says of its sample, where models change, how parameters
# --- go.

#: Parameters drawn, those of most frames first; more are in the table.
MAX_DRAWN = 12
_MARKERS = "os^Dv<>P"


@dataclass(frozen=True)
class Frame:
    """The best fit of one frame."""

    number: int  #: From 1.
    file: str
    #: What it is drawn against: its number or a metadata field; nan where the file has no such field.
    at: float
    model: str  #: Empty where there is no answer.
    values: dict[str, tuple[float, float, str]]  #: (value, error or nan, unit) of each fitted parameter.


def start_of(record: Record | None) -> Start | None:
    """Where the fit of the next frame may begin: the best fit of this one's first data set."""
    best = best_of(record["rows"][0]) if record is not None else None
    if best is None:
        return None
    values: dict[str, Any] = {name: p["value"] for name, p in best["parameters"].items()}
    values |= {f"{name}_pd_type": kind for name, kind in best["distributions"].items()}
    return Start(best["model"], best["structure_factor"], values, _select_fixed_contrast(best["parameters"]))


def _select_fixed_contrast(parameters: dict[str, Any]) -> dict[str, float]:
    """Scale and contrast do the same to a curve: which contrast is taken must not change between frames."""
    return {
        name: p["value"]
        for name, p in parameters.items()
        if p["fixed"] and ("sld" in name or name == "volfraction")
    }


def frames(records: Iterable[Record], positions: Sequence[float]) -> list[Frame]:
    """Take the first data set of each file of a series; `positions` are the values it is drawn against."""
    found_frames = []
    for number, (record, position) in enumerate(zip(records, positions, strict=True), start=1):
        best = best_of(record["rows"][0])
        name, values = (name_of(best), _values_of(best)) if best else ("", {})
        found_frames.append(Frame(number, record["file"], position, name, values))
    return found_frames


def _values_of(fit: Mapping[str, Any]) -> dict[str, tuple[float, float, str]]:
    return {
        name: (p["value"], math.nan if p["error"] is None else p["error"], p["unit"])
        for name, p in fit["parameters"].items()
        if not p["fixed"]
    }


def changes(series: Sequence[Frame]) -> list[str]:
    """A sentence for each place where the best model is another than in the frame before with an answer."""
    answered = [frame for frame in series if frame.model]
    return [
        f"Frame {new.number} ({Path(new.file).name}): {old.model} → {new.model}."
        for old, new in zip(answered, answered[1:], strict=False)
        if old.model != new.model
    ]


def draw(series: Sequence[Frame], path: Path, label: str) -> None:
    """Draw the fitted parameters of a series to ``.svg`` or ``.png``: a panel for each, a colour for each
    model, a line where it changes. Raises SasnetError if the file cannot be written.
    """
    from matplotlib.figure import Figure

    frames_drawn = list(filter(_is_drawn, series))
    names = _most_shown(frames_drawn)
    models = list(dict.fromkeys(frame.model for frame in frames_drawn))
    columns = 1 if len(names) < 3 else 2
    rows = max(math.ceil(len(names) / columns), 1)
    figure = Figure(figsize=(4.4 * columns, 0.9 + 2.1 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        _draw_values(panel, name, models, frames_drawn)
    _label_lowest(panels, len(names), columns, label)
    if models:
        _add_legend(figure, panels)
    _write(figure, path)


def _add_legend(figure: Any, panels: Any) -> None:
    handles = {k: v for panel in panels for v, k in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3, frameon=False)


def _most_shown(frames_drawn: Sequence[Frame]) -> list[str]:
    """Names of the parameters that are drawn, those of most frames first."""
    counts = Counter(name for frame in frames_drawn for name in frame.values)
    return sorted(counts, key=lambda name: (name in ("scale", "background"), -counts[name]))[:MAX_DRAWN]


def _write(figure: Any, path: Path) -> None:
    """Write a figure; the same series gives the same bytes."""
    import matplotlib

    memory = io.BytesIO()
    kind = path.suffix.lower().lstrip(".")
    with matplotlib.rc_context({"svg.hashsalt": "sasnet", "svg.fonttype": "none"}):
        date = {"Date": None} if kind == "svg" else {}
        figure.savefig(memory, format=kind, dpi=150, metadata={**(figure_mark(f".{kind}") or {}), **date})
    put_whole(path, memory.getvalue(), "figure of the series")


def _draw_changes(panel: Any, frames_drawn: Sequence[Frame]) -> None:
    for old, new in pairwise(frames_drawn):
        if old.model != new.model:
            panel.axvline((old.at + new.at) / 2, color="0.7", lw=0.8, ls=":")


def _is_drawn(frame: Frame) -> bool:
    return bool(frame.model) and math.isfinite(frame.at)


def _label_lowest(panels: NDArray[Any], used: int, columns: int, label: str) -> None:
    """Name the horizontal axis below the last panel of each column, and hide those that are not used."""
    for panel in panels[used:]:
        panel.set_visible(False)
    for panel in panels[max(used - columns, 0) : used]:
        panel.set_xlabel(label)
        panel.tick_params(labelbottom=True)


def _draw_values(panel: Any, name: str, models: Sequence[str], frames_drawn: Sequence[Frame]) -> None:
    """One parameter with its errors, a colour a model, a line where the model changes."""
    unit = ""
    for k, model in enumerate(models):
        values_here = [
            (frame.at, *frame.values[name])
            for frame in frames_drawn
            if frame.model == model and name in frame.values
        ]
        if values_here:
            positions, value, error, (unit, *_) = zip(*values_here, strict=True)
            panel.errorbar(
                positions, value, np.nan_to_num(error, posinf=0.0), fmt=_MARKERS[k % len(_MARKERS)], ms=3.5,
                lw=0.8,
                color=f"C{k}", label=model,
            )  # fmt: skip
    _draw_changes(panel, frames_drawn)
    panel.set_ylabel(" / ".join(filter(None, (name, unit_text(unit)))))


#: Bytes of a text file in which its header is looked for.
_HEADER = 65536
_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"


def field_of(path: str | Path, name: str) -> float:
    """The number that a file gives under a name; nan where it gives none."""
    # In text, ``name: 25.3``, ``name = 25.3`` or ``name 25.3``, behind a comment sign or not; in XML the
    # content of an element or an attribute of that name; in HDF5 (NXcanSAS) a scalar dataset or an attribute.
    # Upper and lower case are the same.
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER)
    except OSError:
        return math.nan
    if head.startswith(HDF5):
        return _hdf5(path, name)
    words = re.escape(name)
    pattern = (
        rf"(?<![\w]){words}(?![\w])[\"']?(?:\s*[([][^)\]\n]*[)\]])?(?:[^<>\n]*>)?\s*[:=]?\s*[\"']?{_NUMBER}"
    )
    match = re.search(pattern, head.decode("utf-8", "replace"), re.IGNORECASE)
    return float(match.group(1)) if match else math.nan


def _numbers(candidates: Iterable[Any]) -> Iterator[float]:
    for value in candidates:
        try:
            yield float(value.item() if hasattr(value, "item") else value)
        except (TypeError, ValueError):
            continue


def _hdf5(path: str | Path, name: str) -> float:
    import h5py

    from ..data.hdf5 import own_items

    target = name.lower()
    values: list[float] = []

    def look(place: str, node: object) -> None:
        candidates = [v for k, v in node.attrs.items() if k.lower() == target]  # type: ignore[attr-defined]
        if isinstance(node, h5py.Dataset) and place.rpartition("/")[2].lower() == target and node.size == 1:
            candidates.insert(0, node[()])
        values.extend(_numbers(candidates))

    try:
        with h5py.File(path, "r") as file:
            look("", file)
            for place, node in own_items(file):
                look(place, node)
    except (OSError, RuntimeError):
        return math.nan
    return values[0] if values else math.nan


# --- What data sets of a series differ in besides their curves: numbers of their headers, names and
# --- dates.

#: Numbers of one file that are offered; instruments write hundreds into HDF5, of which few are wanted.
_MOST = 60
_LINE = re.compile(
    rf"^[\s#;%!/*\"']*([^\W\d_][\w .-]{{0,40}}?)[\"']?\s*(?:[(\[][^)\]\n]*[)\]])?\s*[:=]\s*[\"']?{_NUMBER}"
    r"(?=[\s\"',;°%]|[^\W\d]|$)",
    re.MULTILINE,
)
_ELEMENT = re.compile(rf"<(?:\w+:)?([A-Za-z_][\w.-]*)(?:\s[^<>]*)?>\s*{_NUMBER}\s*</")
#: When a file was written, min.
CHANGED = "modification time / min"


def numbers_of(path: str | Path) -> dict[str, float]:
    """Numbers that a file gives by name, those that it gives once: ``temperature: 25.3``."""
    # Of text its header, of XML elements, of HDF5 scalars.
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER)
    except OSError:
        return {}
    if head.startswith(HDF5):
        return _first(_scalars(path))
    text = head.decode("utf-8", "replace")
    pattern = _ELEMENT if text.lstrip("\ufeff \t\r\n").startswith("<") else _LINE
    return _first((match[1].strip(), float(match[2])) for match in pattern.finditer(text))


def _first(found_pairs: Iterator[tuple[str, float]]) -> dict[str, float]:
    pairs = [(name, value) for name, value in found_pairs if math.isfinite(value)]
    often = Counter(name for name, _ in pairs)
    return dict([(name, value) for name, value in pairs if often[name] == 1][:_MOST])


def _scalars(path: str | Path) -> Iterator[tuple[str, float]]:
    import h5py

    from ..data.hdf5 import own_items

    scalars: list[tuple[str, float]] = []

    def look(place: str, node: object) -> None:
        if isinstance(node, h5py.Dataset) and node.size == 1 and node.dtype.kind in "fiu":
            scalars.append((place.rpartition("/")[2], float(node[()].item())))

    try:
        with h5py.File(path, "r") as file:
            for place, node in own_items(file):
                look(place, node)
    except (OSError, RuntimeError):
        return iter(())
    return iter(scalars)


def collect_abscissa_values(path: str | Path) -> dict[str, float]:
    """List all numbers that a data set can be drawn against: of its file, its name, and its time of writing
    (`CHANGED`, minutes since 1970).
    """
    in_name = re.findall(r"\d+(?:\.\d+)?", Path(path).stem)
    numbers = {f"number {place} in the name": float(text) for place, text in enumerate(in_name, start=1)}
    with contextlib.suppress(OSError):
        numbers[CHANGED] = os.stat(path).st_mtime / 60
    return numbers | numbers_of(path)
