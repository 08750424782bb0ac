"""Labels out and in: the CSV that `sasnet train --labels` reads, JSON as COCO has it, HDF5."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np

from ..files import MARK, plain_cell
from ..types import SasnetError
from .events import NO, UNKNOWN, YES, Event
from .images import Key
from .state import State

#: What one image's labels are: tag -> `YES` or `NO`.
Labels = Mapping[str, int]
#: Columns of the CSV that are no tags.
COLUMNS = ("file", "entry", "who", "tags")
#: Labels of one HDF5 file, which may say that it holds more than memory does.
_MOST = 50_000_000


def labelled(state: State) -> Iterator[tuple[int, Key, dict[str, int]]]:
    """Row, key and labels of each image that a person has labelled, in the order of their names."""
    value = state.value
    rows = np.flatnonzero((value != UNKNOWN).any(axis=1))
    for row in sorted(rows.tolist(), key=state.images.keys.__getitem__):
        known = np.flatnonzero(value[row] != UNKNOWN)
        yield row, state.images.keys[row], {state.tags[t]: int(value[row, t]) for t in known}


def to_csv(state: State) -> bytes:
    """``file,entry,who`` and a column for each tag: 1, 0, or nothing where nobody has said it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["file", "entry", "who", *state.tags])
    for row, (file, number), labels in labelled(state):
        who = sorted({state.people[p] for p in state.by[row] if p >= 0})
        # The same file, of whose name no spreadsheet makes a formula.
        name = file if plain_cell(file) == file else f"./{file}"
        writer.writerow([name, number, ";".join(who), *(labels.get(tag, "") for tag in state.tags)])
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
    """As COCO: images, categories, and an annotation for each tag; with ``absent`` where it is not there."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for row, (file, number), labels in labelled(state):
        images.append({"id": row + 1, "file_name": file, "frame": number})
        for tag, value in labels.items():
            column = state.tags.index(tag)
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": row + 1, "category_id": column + 1,
                    "absent": value == NO, "person": state.people[state.by[row, column]],
                }
            )  # fmt: skip
    found = {
        "info": {"description": MARK},
        "images": images,
        "categories": [{"id": place, "name": tag} for place, tag in enumerate(state.tags, start=1)],
        "annotations": annotations,
    }
    return json.dumps(found, ensure_ascii=False).encode()


def to_hdf5(state: State) -> bytes:
    """``file``, ``entry`` (n,), ``tags`` (t,), ``labels`` (n, t) of 1, 0, −1, ``probability`` (n, t)."""
    import h5py

    rows = [row for row, _, _ in labelled(state)]
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


def from_any(content: bytes) -> dict[Key, dict[str, int]]:
    """Labels of a file that one of the functions above has written, or another program in its manner.

    Raises
    ------
    SasnetError
        It is none.
    """
    try:
        if content.startswith(b"\x89HDF"):
            return _hdf5(content)
        text = content.decode("utf-8-sig")
        return _json(json.loads(text)) if text.lstrip().startswith("{") else _csv(text)
    except SasnetError:
        raise
    except RecursionError:
        raise SasnetError("These labels are nested too deeply; give CSV, JSON or HDF5 of labels.") from None
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, IndexError, OSError, csv.Error) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise SasnetError(f"These are no labels as CSV, JSON or HDF5 ({reason}); check the file.") from None


def _csv(text: str) -> dict[Key, dict[str, int]]:
    reader = csv.DictReader(io.StringIO(text))
    names = list(reader.fieldnames or ())
    if "file" not in names:
        raise SasnetError("These labels have no column 'file'; the first line names the columns.")
    tags = [name for name in names if name and name not in COLUMNS]
    found: dict[Key, dict[str, int]] = {}
    for line, row in enumerate(reader, start=2):
        number = (row.get("entry") or "1").removeprefix("frame").strip()
        values = {tag: (row.get(tag) or "").strip() for tag in tags}
        wrong = [tag for tag, value in values.items() if value not in ("", "0", "1")]
        if wrong or not number.isdecimal() or not row["file"]:
            what = f"{wrong[0]} is {values[wrong[0]]!r}" if wrong else f"{number!r} is no number of an image"
            raise SasnetError(
                f"Line {line} of these labels: {what}; give 1, 0 or nothing, and entries from 1."
            )
        named = {name.strip(): YES for name in (row.get("tags") or "").split(";") if name.strip()}
        given = {tag: int(value) for tag, value in values.items() if value}
        found.setdefault((row["file"].removeprefix("./"), int(number)), {}).update(named | given)
    return found


def _json(given: Mapping[str, Any]) -> dict[Key, dict[str, int]]:
    images = {one["id"]: (str(one["file_name"]), int(one.get("frame", 1))) for one in given["images"]}
    tags = {one["id"]: str(one["name"]) for one in given["categories"]}
    found: dict[Key, dict[str, int]] = {}
    for one in given["annotations"]:
        value = NO if one.get("absent") else YES
        found.setdefault(images[one["image_id"]], {})[tags[one["category_id"]]] = value
    return found


def _hdf5(content: bytes) -> dict[Key, dict[str, int]]:
    import h5py

    def text(values: Any) -> Sequence[str]:
        return [value.decode() if isinstance(value, bytes) else str(value) for value in values[:].tolist()]

    with h5py.File(io.BytesIO(content), "r") as file:
        if max(file[name].size for name in ("file", "tags", "entry", "labels")) > _MOST:
            raise SasnetError(f"These labels are more than {_MOST:,}; give them in parts.")
        names, tags = text(file["file"]), text(file["tags"])
        numbers, labels = file["entry"][:].tolist(), file["labels"][:]
    if labels.shape != (len(names), len(tags)) or len(numbers) != len(names):
        raise SasnetError("These labels have arrays that do not fit each other; export them again.")
    return {
        (name, int(number)): {tag: int(v) for tag, v in zip(tags, values, strict=True) if v in (YES, NO)}
        for name, number, values in zip(names, numbers, labels, strict=True)
    }
