"""Labels out and in: CSV that ``sasnet train --labels`` reads, JSON as COCO has it, HDF5."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, fields
from typing import Any

import numpy as np

from ...files import MARK, plain_cell
from ...types import SasnetError, printable
from ...web.content import Key
from ...web.settings import WEB
from ...workers.pool import GoneError, Pool
from .events import NO, UNKNOWN, YES, Event
from .state import State

# --- Labels out: the CSV that `sasnet train --labels` reads, JSON as COCO has it, HDF5.

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
        accepted = map(state.tags.__getitem__, np.flatnonzero(state.acceptance[row]))
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


# --- Labels in: CSV, JSON or HDF5 of anybody's, read in a process of its own that may take so much
# --- memory.

#: Largest number of an image in its file: databases keep these.
_LARGEST = 2**31 - 1
#: Longest path of a file: longer ones no system has.
_LONGEST = 1000
Labels = dict[Key, dict[str, int]]


def labels_of(content: bytes) -> Labels:
    """Parse labels as `exchange` writes them. Raises SasnetError if it is none, or too large."""
    with closing(Pool(f"{__name__}:begin", quiet=True)) as pool, pool.doing(content):
        for message in pool.hear(WEB.file_seconds):
            if message.error is None:
                labels: Labels = message.message
                return labels
            if isinstance(message.error, SasnetError):
                raise message.error
            if not isinstance(message.error, GoneError):
                raise SasnetError(
                    f"These labels cannot be read ({type(message.error).__name__}); export them again."
                )
            break
    raise SasnetError(
        "These labels need too much time or memory, or their reader crashed; check the file, or split it."
    )


def begin() -> Callable[[bytes, Callable[[Any], None]], Labels]:
    """Return what reads labels in a process with bounded memory."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not everywhere can it be bounded
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (WEB.largest_labels, WEB.largest_labels))
    return lambda content, say: from_any(content)


def from_any(content: bytes) -> Labels:
    """Read labels as `labels_of`, in this process."""
    try:
        if content.startswith(b"\x89HDF"):
            return _gather_labels(_hdf5(content))
        text = content.decode("utf-8-sig")
        return _gather_labels(_json(json.loads(text)) if text.lstrip().startswith("{") else _csv(text))
    except SasnetError:
        raise
    except (RecursionError, MemoryError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else "too large"
        raise SasnetError(f"These labels are {problem}; give CSV, JSON or HDF5 of labels.") from None
    except Exception as error:  # whatever HDF5 or Unicode finds wrong with it
        reason = printable(f"{type(error).__name__}: {error}")[:200]
        raise SasnetError(
            f"These labels are not valid CSV, JSON or HDF5 ({reason}); check the file."
        ) from None


#: Where a label stands in its file, its file and number, tag and value.
_Label = tuple[str, Any, Any, str, Any]


def _gather_labels(labels: Iterable[_Label]) -> Labels:
    labels_read: Labels = {}
    for count, (place, file, number, tag, value) in enumerate(labels):
        if count >= WEB.most_labels:
            raise SasnetError(f"There are more than {WEB.most_labels:,} labels; give them in parts.")
        if value not in (YES, NO) or isinstance(value, float):
            raise SasnetError(f"{place}: {tag} is {value!r:.100}; give 1, 0 or nothing.")
        if not isinstance(number, int) or not 0 < number <= _LARGEST:
            raise SasnetError(f"{place}: {number!r:.100} is not the number of an image; give entries from 1.")
        labels_read.setdefault((_path(place, file), number), {})[tag] = int(value)
    return labels_read


def _path(place: str, file: Any) -> str:
    name = file.removeprefix("./") if isinstance(file, str) else ""
    parts = name.split("/")
    if not {"", ".", ".."}.intersection(parts) and "\\" not in name and len(name) <= _LONGEST:
        with contextlib.suppress(UnicodeEncodeError):
            if b"\0" not in name.encode():
                return name
    raise SasnetError(
        f"{place}: {printable(str(file)[:100])!r} is not a file of this folder; give paths relative to it."
    )


def _csv(text: str) -> Iterator[_Label]:
    reader = csv.reader(io.StringIO(text))
    try:
        names = next(reader, [])
        if "file" not in names:
            raise SasnetError("These labels have no column 'file'; the first line names the columns.")
        if len(set(filter(None, names))) < len(list(filter(None, names))):
            raise SasnetError("Line 1 of these labels names a column twice; give each once.")
        for cells in filter(None, reader):
            place = f"Line {reader.line_num} of these labels"
            if len(cells) > len(names):
                raise SasnetError(f"{place}: has {len(cells)} cells for {len(names)} columns.")
            row = dict(zip(names, map(str.strip, cells), strict=False))
            row.pop("", None)
            yield from _line(place, row)
    except csv.Error as error:
        raise SasnetError(f"Line {reader.line_num} of these labels is not valid CSV ({error}).") from None


def _line(place: str, row: Mapping[str, str]) -> Iterator[_Label]:
    number: Any = (row.get("entry") or "1").removeprefix("frame").strip()
    number = int(number) if number.isdecimal() and len(number) < 12 else number
    file, cells = row["file"], {tag: cell for tag, cell in row.items() if cell}
    for name in filter(None, map(str.strip, cells.get("tags", "").split(";"))):
        yield place, file, number, name, YES
    for tag, cell in cells.items():
        if tag not in COLUMNS:
            yield place, file, number, tag, {"1": YES, "0": NO}.get(cell, cell)
    if not cells.keys() - {"file", "entry", "who", "accepted"}:
        _path(place, file)  # nothing is said of it, but it is a line of labels


def _json(content: Mapping[str, Any]) -> Iterator[_Label]:
    images, tags = (
        {_entry(content, kind, k, "id"): item for k, item in enumerate(_list(content, kind))}
        for kind in ("images", "categories")
    )
    for k, item in enumerate(_list(content, "annotations")):
        place = f"annotations[{k}] of these labels"
        image = images.get(_entry(content, "annotations", k, "image_id"))
        tag = tags.get(_entry(content, "annotations", k, "category_id"))
        if image is None or tag is None or not isinstance(tag.get("name"), str):
            raise SasnetError(f"{place}: refers to an image or category that is not listed.")
        yield place, image.get("file_name"), image.get("frame", 1), tag["name"], _value(item)


def _value(annotation: Mapping[str, Any]) -> int:
    return NO if annotation.get("absent") else YES


def _list(content: Mapping[str, Any], kind: str) -> Sequence[Any]:
    items = content.get(kind)
    if not isinstance(items, list):
        raise SasnetError(
            f"These labels have no list {kind!r}; give JSON in the COCO format, with images,"
            " annotations and categories."
        )
    return items


def _entry(content: Mapping[str, Any], kind: str, k: int, name: str) -> int | str:
    item = content[kind][k]
    value = item.get(name) if isinstance(item, dict) else None
    if not isinstance(value, int | str):
        raise SasnetError(f"These labels have no {name!r} in {kind}[{k}].")
    return value


def _hdf5(content: bytes) -> Iterator[_Label]:
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        names, tags = _texts(_array(file, "file")), _texts(_array(file, "tags"))
        numbers, labels = _array(file, "entry"), _array(file, "labels")
    if labels.shape != (len(names), len(tags)) or numbers.shape != (len(names),):
        raise SasnetError("These labels have arrays of different lengths; export them again.")
    if not {numbers.dtype.kind, labels.dtype.kind} <= set("iu"):
        raise SasnetError("'entry' and 'labels' must hold whole numbers; export these labels again.")
    for k, (name, number, values) in enumerate(zip(names, numbers.tolist(), labels.tolist(), strict=True)):
        for tag, value in zip(tags, values, strict=True):
            if value != -1:
                yield f"Row {k} of these labels", name, number, tag, value


def _array(file: Any, name: str) -> Any:
    """An array that lies in this very file, and is no larger than labels are."""
    import h5py

    link = file.get(name, getlink=True)
    array = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(array, h5py.Dataset) or array.external or array.is_virtual:
        raise SasnetError(f"These labels have no array {name!r} in the file itself; export them again.")
    if array.size > WEB.most_labels * 10 or array.nbytes > WEB.largest_request * 4:
        raise SasnetError(f"The array {name!r} of these labels is too large; split the labels.")
    return array[:]


def _texts(values: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]
