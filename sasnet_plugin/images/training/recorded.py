"""Measured images with a user's own labels, laid down as a dataset that is trained on like a simulated one.

What the network reads of each image is computed once; of the heads those remain that the labels answer.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...domains import Domain, ReadOptions
from ...domains.heads import Tags, Targets
from ...domains.simulator import Layout, Mix, Row, Simulator
from ...files import new_hdf5, put_in_one_step
from ...simulate.dataset import PARAMETERS
from ...types import DataError, SasnetError

#: Share of the labelled images that calibration is done with.
HELD_OUT = 0.15
#: Fewer labelled images than this teach nothing.
LEAST = 20
_LABEL = "label_"
_ROWS = 8


@dataclass(frozen=True)
class Recorded(Simulator):
    """Rows that were measured: nothing is drawn."""

    layout = Layout(stem="labelled", content="{rows:,} labelled images", rows=_ROWS)
    mix = Mix(rows=64, others=0)

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Row], Targets]:
        """Rows as they are, and their labels by head."""
        names = [name for name in rows[0] if name.startswith(_LABEL)]
        return list(rows), {name.removeprefix(_LABEL): np.stack([r[name] for r in rows]) for name in names}


SIMULATOR = Recorded()


def inputs(rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
    """What the network reads of rows."""
    names = [name for name in rows[0] if name != PARAMETERS and not name.startswith(_LABEL)]
    return {name: np.stack([row[name] for row in rows]) for name in names}


def record(
    domain: Domain, labels: Path, images: Sequence[str], folder: Path, seed: int = 0
) -> tuple[Domain, Path, Path]:
    """Lay down training data from labelled images: the adapted domain, and folders of shards."""
    # The CSV has ``file``, ``entry`` (frame from 1), and a column of 1, 0 or nothing for each tag, or
    # ``tags`` separated by semicolons; tags in ``accepted`` were suggested by a model. `seed` draws held-out
    # images. Raises SasnetError if it is unreadable, names no tag, or too few images are there.
    head, labelled = read_labelled(domain, labels, images)
    order = np.random.default_rng(seed).permutation(len(labelled))
    test_count = max(int(HELD_OUT * len(labelled)), 4)
    parts = {"validation": order[:test_count], "data": order[test_count:]}
    for name, rows in parts.items():
        _write(folder / name, [labelled[row] for row in rows], head.name, domain.features_version)
    recorded = replace(
        domain, simulator=lambda: SIMULATOR, features=inputs, heads=(head,), symmetries=(), finish=None
    )
    return recorded, folder / "data", folder / "validation"


@dataclass(frozen=True)
class Labelled:
    """An image with labels."""

    inputs: dict[str, NDArray[Any]]  #: What the network reads of it.
    tags: NDArray[np.float32]  #: (labels,), 0, 1, or NaN where it is not known.
    file: str  #: Its name in the table of labels.
    accepted: NDArray[np.bool_]  #: (labels,), where a model had suggested what is said.


def names_of(image: str) -> list[str]:
    """What a table may call a file: by its whole path, or from any folder on."""
    steps = Path(image).parts
    return [image, *("/".join(steps[first:]) for first in range(len(steps)))]


def read_labelled(domain: Domain, labels: Path, images: Sequence[str]) -> tuple[Tags, list[Labelled]]:
    """The head of tags of a domain, and labelled images; arguments and errors as of `record`."""
    head = next((item for item in domain.heads if isinstance(item, Tags)), None)
    if head is None:
        raise SasnetError(f"{domain.title} have no tags; do not give --labels.")
    wanted_tags, suggested = read_labels(labels, head), read_accepted(labels, head)
    labelled: list[Labelled] = []
    for image in images:
        name = next((name for name in names_of(image) if name in wanted_tags), "")
        entries = wanted_tags.get(name, {})
        frames = {n: item for n, item in enumerate(_frames(domain, image, entries), start=1) if n in entries}
        if frames:
            read = domain.features(list(frames.values()))
            labelled += [
                Labelled({k: v[row] for k, v in read.items()}, entries[n], name, suggested[name, n])
                for row, n in enumerate(frames)
            ]
    if len(labelled) < LEAST:
        raise SasnetError(
            f"{labels}: {len(labelled)} of its images are among the given files; label at least {LEAST},"
            f" and use the same file names."
        )
    return head, labelled


def _frames(domain: Domain, image: str, entries: Mapping[int, Any]) -> Iterable[Any]:
    """Yield frames of a file that has labels; others are not read."""
    return domain.read(image, ReadOptions()) if entries else ()


def read_labels(path: Path, head: Tags) -> dict[str, dict[int, NDArray[np.float32]]]:
    """Read file -> frame (from 1) -> 0, 1, NaN of tags and parents. Raises DataError for other tables."""
    rows = _rows(path)
    columns = set(rows[0]) if rows else set()
    if "file" not in columns or not columns & {"tags", *head.labels}:
        raise DataError(
            f"{path}: needs a column 'file', and a column 'tags' or one for each tag:"
            f" {', '.join(head.labels)}."
        )
    labels: dict[str, dict[int, NDArray[np.float32]]] = {}
    for number, row in enumerate(rows, start=2):
        entry = _frame(row)
        if not entry.isdigit():
            raise DataError(f"{path}: line {number}: {entry!r} is not a frame; give its number, from 1.")
        labels.setdefault(row["file"].removeprefix("./"), {})[int(entry)] = _targets(
            row, head, f"{path}: line {number}"
        )
    return labels


def read_accepted(path: Path, head: Tags) -> dict[tuple[str, int], NDArray[np.bool_]]:
    """(File, frame) -> of which tags a model had suggested what the table says; with parents that it
    implies.
    """
    # The table is one that `read_labels` has read.
    accepted = {}
    for row in _rows(path):
        tag_names = {name.strip() for name in (row.get("accepted") or "").split(";")}
        silent = {child: parent for child, parent in head.parents.items() if not row.get(parent)}
        for _ in head.parents:
            tag_names |= {
                parent for child, parent in silent.items() if child in tag_names and row.get(child) == "1"
            }
        key = row["file"].removeprefix("./"), int(_frame(row))
        accepted[key] = np.array([name in tag_names for name in head.labels])
    return accepted


def _frame(row: Mapping[str, str]) -> str:
    return (row.get("entry") or "1").removeprefix("frame").strip()


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}); check the file.") from None


def _parse_tags(tags: str | None, head: Tags, place: str) -> dict[str, float]:
    """1 of each tag in a list and 0 of the others; NaN of all where there is no list."""
    if tags is None:
        return dict.fromkeys(head.labels, float("nan"))
    tag_names = {name.strip() for name in tags.split(";")} - {""}
    if unknown := tag_names - set(head.labels):
        raise DataError(f"{place}: {unknown.pop()!r} is not a tag; use {', '.join(head.labels)}.")
    return {name: float(name in tag_names) for name in head.labels}


def _targets(row: Mapping[str, str | None], head: Tags, place: str) -> NDArray[np.float32]:
    values = _parse_tags(row.get("tags"), head, place)
    for name in head.labels:
        text = (row.get(name) or "").strip()
        if text not in ("", "0", "1"):
            raise DataError(f"{place}: {name} is {text!r}; give 1, 0 or nothing.")
        values[name] = float(text) if text else values[name]
    _add_parents(values, head)
    return np.array([values[name] for name in head.labels], dtype=np.float32)


def _add_parents(values: dict[str, float], head: Tags) -> None:
    """What bears a tag bears those above it, too."""
    for _ in head.parents:  # up chains of any length
        for child, parent in head.parents.items():
            if values[child] == 1:
                values[parent] = 1.0


def _write(
    folder: Path,
    rows: Sequence[Labelled],
    head: str,
    version: int,
) -> None:
    """Shards of `_ROWS` rows; the last is filled up with the first of all."""
    folder.mkdir(parents=True, exist_ok=True)
    with put_in_one_step(folder / "settings.json") as aside:
        aside.write_text(f'{{"features": {version}}}\n', encoding="utf-8")
    full = [*rows, *rows[: -len(rows) % _ROWS]]
    while len(full) % _ROWS:
        full.append(full[-1])
    for number in range(0, len(full), _ROWS):
        images_here = full[number : number + _ROWS]
        with (
            put_in_one_step(folder / f"labelled-{number // _ROWS:05d}.h5") as aside,
            new_hdf5(aside) as file,
        ):
            file.create_dataset(PARAMETERS, data=np.zeros((len(images_here), 0))).attrs["names"] = []
            for name in images_here[0].inputs:
                file[name] = np.stack([image.inputs[name] for image in images_here])
            file[f"{_LABEL}{head}"] = np.stack([image.tags for image in images_here])
