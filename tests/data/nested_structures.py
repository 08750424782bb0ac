"""Structures without end: settings, HDF5 and XML that are nested deeply, branch widely, or lead back.

`CASES` maps a name to what makes the file and how it is called: settings are to be refused by one sentence, from
files of data the plain curve that lies in them is to be read.
"""

# ruff: noqa: E501 - a case a line
from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import h5py
from hostile_files import I, Q, write

DEEP, WIDE = 200_000, 20_000


class Structure(NamedTuple):
    """Something without end, and what its file is called."""

    make: Callable[[Path], object]
    name: str


def nested(
    before: str, opening: str, inside: str, closing: str, depth: int = DEEP
) -> Callable[[Path], object]:
    """Text within brackets within brackets."""
    return partial(write, before + opening * depth + inside + closing * depth + "\n")


def dotted(section: str, depth: int = DEEP) -> Callable[[Path], object]:
    """A TOML key of many parts: a table within a table for each."""
    return partial(write, f"{section}{'.a' * depth} = 1\n")


def keys(section: str, count: int = 50_000) -> Callable[[Path], object]:
    """A TOML section of many keys."""
    return partial(write, f"[{section}]\n" + "".join(f"name{n} = 1\n" for n in range(count)))


def sections(count: int = 50_000) -> Callable[[Path], object]:
    """Many TOML sections."""
    return partial(write, "".join(f"[section{n}]\na = 1\n" for n in range(count)))


def sparse(path: Path) -> None:
    """A settings file of 20 GiB that takes no room."""
    with path.open("wb") as stream:
        stream.truncate(20 * 2**30)


def data(group: h5py.Group) -> None:
    """The plain curve in a group, as NXcanSAS has it."""
    for name, value in (("canSAS_class", "SASdata"), ("signal", "I"), ("I_axes", "Q"), ("Q_indices", 0)):
        group.attrs[name] = value
    group["Q"], group["I"], group["Idev"] = Q, I, 0.02 * I
    group["Q"].attrs["units"], group["I"].attrs["units"] = "1/angstrom", "1/cm"


def entry(file: h5py.File, name: str = "sasentry01") -> h5py.Group:
    """An entry of NXcanSAS, with its title."""
    found = file.create_group(name)
    found.attrs["canSAS_class"] = "SASentry"
    found["title"] = name
    return found


def wide(path: Path, kind: str) -> None:
    """A good curve among thousands of other things."""
    with h5py.File(path, "w") as file:
        first = entry(file)
        if kind == "before":  # names that come before it in HDF5's order
            for n in range(WIDE):
                file.create_group(f"a{n:06d}")
        elif kind == "tree":
            _branch(first, 9, 3)
        data(first.create_group("sasdata01"))


def _branch(group: h5py.Group, depth: int, count: int) -> None:
    for n in range(count if depth else 0):
        _branch(group.create_group(f"g{n}"), depth - 1, count)


def linked(path: Path, kind: str) -> None:
    """A good curve in a file whose links lead back."""
    with h5py.File(path, "w") as file:
        first = entry(file)
        data(first.create_group("sasdata01"))
        if kind == "two":
            first.create_group("one")["to"] = h5py.SoftLink("/sasentry01/two")
            first.create_group("two")["to"] = h5py.SoftLink("/sasentry01/one")
        elif kind == "chain":
            for n in range(5_000):
                first[f"link{n}"] = h5py.SoftLink(f"/sasentry01/link{n + 1}")
        elif kind == "product":
            for level in range(30):
                group = file.create_group(f"level{level}")
                for n in range(10):
                    group[f"down{n}"] = h5py.SoftLink(f"/level{level + 1}")
            first["down"] = h5py.SoftLink("/level0")
        elif kind == "path":
            first["long"] = h5py.SoftLink("/sasentry01/" * 5_000)
        elif kind == "external":
            first["out"] = h5py.ExternalLink(path.name, "/")


def below(path: Path, depth: int) -> None:
    """The curve at the bottom of many groups."""
    with h5py.File(path, "w") as file:
        group = entry(file)
        for _ in range(depth):
            group = group.create_group("g")
        data(group.create_group("sasdata01"))


def xml(path: Path, kind: str) -> None:
    """CanSAS XML with a good curve and too much of something."""
    row = "".join(
        f"<Idata><Q unit='1/A'>{q:.6e}</Q><I unit='1/cm'>{i:.6e}</I><Idev unit='1/cm'>{0.02 * i:.6e}</Idev></Idata>"
        for q, i in zip(Q, I, strict=True)
    )
    head = "<?xml version='1.0'?><SASroot version='1.0' xmlns='cansas1d/1.0'"
    one = f"<SASentry><Title>t</Title><Run>1</Run><SASdata>{row}</SASdata><SASsample><ID>a</ID></SASsample>%s</SASentry>"
    body = {
        "namespaces": f"{''.join(f' xmlns:n{n}=' + repr(f'u{n}') for n in range(30_000))}>{one % ''}",
        "nested": f">{one % ('<SASnote>' * 5_000 + '</SASnote>' * 5_000)}",
    }[kind]
    write(f"{head}{body}</SASroot>", path)


CASES: dict[str, Structure] = {
    "sample: arrays": Structure(nested("kind = ", "[", "1", "]"), "s.toml"),
    "sample: arrays in a section": Structure(nested("[scale]\n1 = ", "[", "1", "]", 400), "s.toml"),
    "sample: inline tables": Structure(nested("[values]\nx = ", "{a=", "1", "}"), "s.toml"),
    "sample: key of many parts": Structure(dotted("solvents"), "s.toml"),
    "sample: key of 2,000 parts": Structure(dotted("solvents", 2_000), "s.toml"),
    "sample: values of many parts": Structure(dotted("values", 2_000), "s.toml"),
    "sample: kind of many parts": Structure(dotted("kind", 2_000), "s.toml"),
    "sample: tie of many parts": Structure(dotted("tie", 2_000), "s.toml"),
    "sample: section of many parts": Structure(nested("[a", ".a", "]", ""), "s.toml"),
    "sample: many keys": Structure(keys("solvents"), "s.toml"),
    "sample: many sections": Structure(sections(), "s.toml"),
    "sample: tie in brackets": Structure(partial(write, f'[tie]\nradius = "{"(" * 5_000}1{")" * 5_000}"\n'), "s.toml"),
    "sample: tie of many signs": Structure(partial(write, f'[tie]\nradius = "{"-" * 5_000}1"\n'), "s.toml"),
    "sample: tie of many sums": Structure(partial(write, f'[tie]\nradius = "1{"+1" * 50_000}"\n'), "s.toml"),
    "sample: tie of powers": Structure(partial(write, '[tie]\nradius = "9**9**9**9"\n'), "s.toml"),
    "sample: number of 5,000 digits": Structure(partial(write, f"[scale]\n1 = {'9' * 5_000}\n"), "s.toml"),
    "sample: number of 400 digits": Structure(partial(write, f"[scale]\n1 = {'9' * 400}\n"), "s.toml"),
    "sample: value of 400 digits": Structure(partial(write, f"[values.x]\n1 = {'9' * 400}\n"), "s.toml"),
    "sample: a date": Structure(partial(write, "kind = 1979-05-27\n"), "s.toml"),
    "sample: a list as solvent": Structure(partial(write, "[solvents]\n1 = []\n2 = [1]\n"), "s.toml"),
    "sample: material in brackets": Structure(partial(write, f'[solvents]\n1 = "{"(" * 1_000}H2O{")" * 1_000}@1"\n2 = 1\n'), "s.toml"),
    "sample: long material": Structure(partial(write, f'[solvents]\n1 = "{"H2O" * 1_000}@1"\n2 = "D2O"\n'), "s.toml"),
    "sample: long name": Structure(partial(write, f'[solvents]\n{"x" * 500_000} = "D2O"\n'), "s.toml"),
    "sample: pattern": Structure(partial(write, f'[solvents]\n"{"*a" * 500}b" = "D2O"\n'), "s.toml"),
    "sample: 20 GiB": Structure(sparse, "s.toml"),
    "sample: a pipe": Structure(os.mkfifo, "s.toml"),
    "sample: zeros": Structure(lambda path: path.symlink_to("/dev/zero"), "s.toml"),
    "sample: a folder": Structure(os.mkdir, "s.toml"),
    "sample: UTF-16": Structure(partial(write, "kind = 'series'".encode("utf-16")), "s.toml"),
    **{f"HDF5: wide, {kind}": Structure(partial(wide, kind=kind), "x.h5") for kind in ("before", "tree")},
    **{f"HDF5: links, {kind}": Structure(partial(linked, kind=kind), "x.h5") for kind in ("two", "chain", "product", "path", "external")},
    **{f"XML: {kind}": Structure(partial(xml, kind=kind), "x.xml") for kind in ("namespaces", "nested")},
}  # fmt: skip
