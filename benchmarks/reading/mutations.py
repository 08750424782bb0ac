"""Small damage to a file: to a value, a token, a line, a delimiter, a byte; drawn at random."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.])")
_IN_XML = re.compile(r"(?<=>)[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?=<)")
Generator = np.random.Generator


def _numbers(line: str) -> list[re.Match[str]]:
    """The numbers of a line; of XML those between tags, without those of units."""
    return list((_IN_XML if "<" in line else _NUMBER).finditer(line))


def of_file(content: bytes, kind: str, rng: Generator) -> tuple[str, bytes]:
    """A damaged copy, and the name of the damage."""
    if kind == "hdf5":
        names = [*HDF5, "a byte", "cut short"]
        name = names[int(rng.integers(len(names)))]
        return name, HDF5[name](content, rng) if name in HDF5 else BYTES[name](content, rng)
    ways: dict[str, Callable[[str, Generator], str]] = {
        **VALUES,
        **LINES,
        **(XML if kind == "xml" else TABLE),
    }
    names = [*ways, *BYTES]
    name = names[int(rng.integers(len(names)))]
    if name in BYTES:
        return name, BYTES[name](content, rng)
    return name, ways[name](content.decode(), rng).encode()


def _rows(text: str) -> tuple[list[str], list[int]]:
    """All lines, and the numbers of those of the table, without the first and last five."""
    lines = text.split("\n")
    table = [k for k, line in enumerate(lines) if len(_numbers(line)) >= 3 and k > 0]
    return lines, table[5:-5]


def _one_row(change: Callable[[str, Generator], list[str]]) -> Callable[[str, Generator], str]:
    """Put other lines in the place of one row."""

    def changed(text: str, rng: Generator) -> str:
        lines, table = _rows(text)
        k = table[int(rng.integers(len(table)))]
        lines[k : k + 1] = change(lines[k], rng)
        return "\n".join(lines)

    return changed


def _one_value(change: Callable[[str, Generator], str]) -> Callable[[str, Generator], str]:

    def changed(line: str, rng: Generator) -> list[str]:
        found = _numbers(line)
        one = found[int(rng.integers(min(len(found), 3)))]
        return [line[: one.start()] + change(one[0], rng) + line[one.end() :]]

    return _one_row(changed)


def _scaled(factor: float) -> Callable[[str, Generator], str]:
    return lambda value, rng: f"{float(value) * factor:.6e}"


def _digit(value: str, rng: Generator) -> str:
    """One digit another one."""
    places = [k for k, sign in enumerate(value) if sign.isdigit()]
    k = places[int(rng.integers(len(places)))]
    return value[:k] + str(rng.integers(10)) + value[k + 1 :]


VALUES: dict[str, Callable[[str, Generator], str]] = {
    **{f"a value times 1e{power}": _one_value(_scaled(10.0**power)) for power in (-6, -3, -1, 1, 3, 6)},
    "a value 1e308": _one_value(lambda value, rng: "1e308"),
    "a value 1e-320": _one_value(lambda value, rng: "1e-320"),
    "a value nan": _one_value(lambda value, rng: str(rng.choice(["nan", "NaN", "inf", "-inf", "1.#IND"]))),
    "a value 0": _one_value(lambda value, rng: "0.0"),
    "a value negative": _one_value(lambda value, rng: f"-{value}"),
    "a value a word": _one_value(lambda value, rng: str(rng.choice(["---", "N/A", "#", "abc", "*****"]))),
    "a digit": _one_value(_digit),
    "a value's exponent sign": _one_value(
        lambda value, rng: value.translate(str.maketrans("+-", "-+")) if "e" in value else f"{value}e+03"
    ),
    "a value without its point": _one_value(lambda value, rng: value.replace(".", "", 1)),
    "a value twice": _one_value(lambda value, rng: f"{value}{value}"),
}


def _swap_tokens(line: str, rng: Generator) -> list[str]:
    found = _numbers(line)
    i = int(rng.integers(min(len(found), 3) - 1))
    a, b = found[i], found[i + 1]
    return [f"{line[: a.start()]}{b[0]}{line[a.end() : b.start()]}{a[0]}{line[b.end() :]}"]


def _drop_token(line: str, rng: Generator) -> list[str]:
    found = _numbers(line)
    one = found[int(rng.integers(len(found)))]
    return [line[: one.start()] + line[one.end() :].lstrip(" ")]


def _swap_between_rows(text: str, rng: Generator) -> str:
    """The same token of two rows."""
    lines, table = _rows(text)
    k, m = rng.choice(table, 2, replace=False)
    a, b = (_numbers(lines[j]) for j in (k, m))
    i = int(rng.integers(min(len(a), len(b), 3)))
    one, other = a[i], b[i]
    lines[k], lines[m] = (
        lines[k][: one.start()] + other[0] + lines[k][one.end() :],
        lines[m][: other.start()] + one[0] + lines[m][other.end() :],
    )
    return "\n".join(lines)


def _lines(change: Callable[[list[str], list[int], Generator], list[str]]) -> Callable[[str, Generator], str]:
    def changed(text: str, rng: Generator) -> str:
        return "\n".join(change(*_rows(text), rng))

    return changed


def _exchanged(lines: list[str], table: list[int], rng: Generator) -> list[str]:
    k, m = rng.choice(table, 2, replace=False)
    lines[k], lines[m] = lines[m], lines[k]
    return lines


def _glued(lines: list[str], table: list[int], rng: Generator) -> list[str]:
    """Two lines in one."""
    k = table[int(rng.integers(len(table) - 1))]
    return [*lines[:k], lines[k] + " " + lines[k + 1], *lines[k + 2 :]]


LINES: dict[str, Callable[[str, Generator], str]] = {
    "swapped tokens": _one_row(_swap_tokens), "a token of two rows swapped": _swap_between_rows,
    "a line missing": _one_row(lambda line, rng: []),
    "a line twice": _one_row(lambda line, rng: [line, line]), "two lines exchanged": _lines(_exchanged),
    "half a line": _one_row(lambda line, rng: [line[: int(rng.integers(1, len(line)))]]),
    "an empty line": _one_row(lambda line, rng: ["", line]), "two lines in one": _lines(_glued),
    "CRLF": lambda text, rng: text.replace("\n", "\r\n"),
}  # fmt: skip


TABLE: dict[str, Callable[[str, Generator], str]] = {
    "a row marked as a comment": _one_row(lambda line, rng: [f"# {line}"]),
    "decimal commas in one row": _one_row(lambda line, rng: [line.replace(".", ",")]),
    "a delimiter missing": _one_row(
        lambda line, rng: [re.sub(r"(?<=\d)\s*[\s,;]\s*(?=\d)", "", line, count=1)]
    ),
    "a token missing": _one_row(_drop_token),
    "a word between": _one_row(lambda line, rng: ["# paused", line]),
}


def _tag(text: str, rng: Generator) -> str:
    """A tag of one point is missing."""
    found = list(re.finditer(r"</?(?:Q|I|Idev|Idata)\b[^>]*>", text))
    one = found[int(rng.integers(len(found)))]
    return text[: one.start()] + text[one.end() :]


def _mixed_units(text: str, rng: Generator) -> str:
    """Part of the points in another unit, converted."""
    own, other, factor = ("1/A", "1/nm", 10.0) if 'Q unit="1/A"' in text else ("1/nm", "1/A", 0.1)
    first = float(rng.random())

    def converted(match: re.Match[str]) -> str:
        if match.start() < first * len(text):
            return match[0]
        return f'<Q unit="{other}">{factor * float(match[1]):.6e}<'

    return re.sub(rf'<Q unit="{own}">([^<]*)<', converted, text)


def _one_unit(text: str, rng: Generator) -> str:
    """The unit of one point is missing."""
    found = list(re.finditer(r' unit="[^"]*"', text))[3:]
    one = found[int(rng.integers(len(found)))]
    return text[: one.start()] + text[one.end() :]


XML: dict[str, Callable[[str, Generator], str]] = {
    "a tag missing": _tag,
    "units mixed": _mixed_units,
    "the unit of a point missing": _one_unit,
}


def _flipped(content: bytes, rng: Generator) -> bytes:
    found = bytearray(content)
    k = int(rng.integers(len(found)))
    found[k] ^= 1 << int(rng.integers(8))
    return bytes(found)


def _cut(content: bytes, rng: Generator) -> bytes:
    return content[: int(len(content) * rng.uniform(0.3, 1.0))]


BYTES: dict[str, Callable[[bytes, Generator], bytes]] = {
    "a bit": _flipped,
    "a byte": lambda content, rng: _with_byte(content, rng),
    "cut short": _cut,
    "a mark of UTF-8": lambda content, rng: b"\xef\xbb\xbf" + content,
}


def _with_byte(content: bytes, rng: Generator) -> bytes:
    k = int(rng.integers(len(content)))
    return content[:k] + bytes([int(rng.integers(256))]) + content[k + 1 :]


def _in_hdf5(change: Callable[[Any, Generator], None]) -> Callable[[bytes, Generator], bytes]:
    def changed(content: bytes, rng: Generator) -> bytes:
        import h5py

        held = io.BytesIO(content)
        with h5py.File(held, "r+") as file:
            change(file, rng)
        return held.getvalue()

    return changed


def _sets(file: Any) -> list[Any]:
    """Data sets of one value for each point: q, I, dI."""
    import h5py

    found: list[Any] = []
    file.visititems(
        lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) and item.size > 9 else None
    )
    return found


def _changed_value(value: Callable[[float, Generator], float]) -> Callable[[Any, Generator], None]:
    def change(file: Any, rng: Generator) -> None:
        sets = _sets(file)
        item = sets[int(rng.integers(len(sets)))]
        k = int(rng.integers(5, item.size - 5))
        item[k] = value(float(item[k]), rng)

    return change


def _replaced(new: Callable[[Any], Any]) -> Callable[[Any, Generator], None]:
    """One data set by another one of its name."""

    def change(file: Any, rng: Generator) -> None:
        sets = _sets(file)
        item = sets[int(rng.integers(len(sets)))]
        parent, name, attributes, values = (
            item.parent, item.name.rpartition("/")[2], dict(item.attrs), new(item[()]),
        )  # fmt: skip
        del parent[name]
        parent[name] = values
        for key, value in attributes.items():
            parent[name].attrs[key] = value

    return change


def _without_attribute(file: Any, rng: Generator) -> None:
    items = [item for item in (*_sets(file), *(one.parent for one in _sets(file)[:1])) if len(item.attrs)]
    item = items[int(rng.integers(len(items)))]
    del item.attrs[list(item.attrs)[int(rng.integers(len(item.attrs)))]]


def _without_set(file: Any, rng: Generator) -> None:
    sets = _sets(file)
    item = sets[int(rng.integers(len(sets)))]
    del item.parent[item.name.rpartition("/")[2]]


def _other_order(file: Any, rng: Generator) -> None:
    """All rows in reverse."""
    for item in _sets(file):
        item[...] = item[()][::-1]


HDF5: dict[str, Callable[[bytes, Generator], bytes]] = {
    **{
        f"a value times 1e{power}": _in_hdf5(_changed_value(lambda value, rng, f=10.0**power: value * f))  # type: ignore[misc]
        for power in (-6, -3, -1, 1, 3, 6)
    },
    "a value 1e308": _in_hdf5(_changed_value(lambda value, rng: 1e308)),
    "a value nan": _in_hdf5(_changed_value(lambda value, rng: float(rng.choice([np.nan, np.inf, -np.inf])))),
    "a value negative": _in_hdf5(_changed_value(lambda value, rng: -value)),
    "a value 0": _in_hdf5(_changed_value(lambda value, rng: 0.0)),
    "single precision": _in_hdf5(_replaced(lambda values: values.astype("f4"))),
    "a data set as a column": _in_hdf5(_replaced(lambda values: values[:, None])),
    "a data set without its last value": _in_hdf5(_replaced(lambda values: values[:-1])),
    "a data set as words": _in_hdf5(_replaced(lambda values: [f"{v:.6e}" for v in values])),
    "an attribute missing": _in_hdf5(_without_attribute),
    "a data set missing": _in_hdf5(_without_set),
    "rows in reverse": _in_hdf5(_other_order),
}
