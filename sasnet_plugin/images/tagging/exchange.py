"""Labels out: the CSV that `sasnet train --labels` reads, JSON as COCO has it, HDF5."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np

from ...files import MARK, plain_cell
from ...web.images import Key
from .events import NO, UNKNOWN, Event
from .state import State

#: Columns of the CSV that are no tags.
COLUMNS = ("file", "entry", "who", "tags", "accepted")


def list_labelled(state: State) -> Iterator[tuple[int, Key, dict[str, int]]]:
    """Row, key and labels of each image that a person has labelled, in the order of their names."""
    value = state.value
    rows = np.flatnonzero((value != UNKNOWN).any(axis=1))
    for row in sorted(rows.tolist(), key=state.images.keys.__getitem__):
        known_tags = np.flatnonzero(value[row] != UNKNOWN)
        yield row, state.images.keys[row], {state.tags[t]: int(value[row, t]) for t in known_tags}


def to_csv(state: State) -> bytes:
    """``file,entry,who,accepted`` and a column for each tag: 1, 0, or nothing where nobody has said it."""
    # Of the tags in ``accepted``, with semicolons between them, a model had suggested what stands there.
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["file", "entry", "who", "accepted", *state.tags])
    for row, (file, number), labels in list_labelled(state):
        people = sorted({state.people[p] for p in state.author[row] if p >= 0})
        accepted = [state.tags[place] for place in np.flatnonzero(state.acceptance[row])]
        # The same file, of whose name no spreadsheet makes a formula.
        name = file if plain_cell(file) == file else f"./{file}"
        cells = ";".join(people), ";".join(map(plain_cell, accepted))
        writer.writerow([name, number, *cells, *(labels.get(tag, "") for tag in state.tags)])
    return out.getvalue().encode()


def log_csv(events: Sequence[Event]) -> bytes:
    """The whole log, a line an event: who said what of which image and when, and what was taken back."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([field.name for field in fields(Event)])
    for event in events:
        row = astuple(event)
        writer.writerow([plain_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue().encode()


def to_json(state: State) -> bytes:
    """Write COCO: images, categories, an annotation for each tag, with ``absent`` for absent ones."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for row, (file, number), labels in list_labelled(state):
        images.append({"id": row + 1, "file_name": file, "frame": number})
        for tag, value in labels.items():
            column = state.tags.index(tag)
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": row + 1, "category_id": column + 1,
                    "absent": value == NO, "person": state.people[state.author[row, column]],
                }
            )  # fmt: skip
    content = {
        "info": {"description": MARK},
        "images": images,
        "categories": [{"id": place, "name": tag} for place, tag in enumerate(state.tags, start=1)],
        "annotations": annotations,
    }
    return json.dumps(content, ensure_ascii=False).encode()


def to_hdf5(state: State) -> bytes:
    """``file``, ``entry`` (n,), ``tags`` (t,), ``labels`` (n, t) of 1, 0, −1, ``probability`` (n, t)."""
    import h5py

    rows = [row for row, _, _ in list_labelled(state)]
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["creator"] = MARK
        text = h5py.string_dtype()
        file.create_dataset("file", data=[state.images.keys[row][0] for row in rows], dtype=text)
        file["entry"] = np.array([state.images.keys[row][1] for row in rows], dtype=np.int64)
        file.create_dataset("tags", data=state.tags, dtype=text)
        file["labels"] = state.value[rows]
        file["probability"] = state.probability[rows]
    return out.getvalue()
