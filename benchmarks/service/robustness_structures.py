"""Structures without end: settings, HDF5 and XML that are nested deeply, branch widely, or lead back.

`CASES` maps a name to what is run and what is right: "refused" (one sentence and an exit code that is not 0),
"read" (the answer about the plain curve that lies in it) or "either".
"""

# ruff: noqa: E501 - a case a line
from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from .robustness import Counts
from .robustness_hostile import IMAGE, I, Q, write

#: What no run may take: CPU-seconds of its own and for each data set that it answers, and bytes.
MOST_SECONDS, EACH_SECONDS, MOST_BYTES = 30.0, 0.03, 1_500_000_000
#: What the system gives at most, so that this machine goes on.
_GIVEN = 8_000_000_000
DEEP, WIDE = 200_000, 20_000


@dataclass(frozen=True)
class Structure:
    """Something without end, and how it is given."""

    expected: str  #: refused, read or either.
    make: Callable[[Path], object]  #: Writes a file.
    name: str  #: Of the file, with its ending.
    #: How sasnet is started; ``{}`` is the file, a and b are curves.
    command: str = "classify {}"
    data_sets: int = 1  #: That are answered, each in a time of its own.


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
        elif kind == "beside":
            for n in range(WIDE):
                first.create_group(f"process{n:06d}").attrs["canSAS_class"] = "SASprocess"
        elif kind == "attributes":
            for n in range(5_000):
                first.attrs.create(f"a{n}", n)
        elif kind == "tree":
            _branch(first, 9, 3)
        data(first.create_group("sasdata01"))


def _branch(group: h5py.Group, depth: int, count: int) -> None:
    for n in range(count if depth else 0):
        _branch(group.create_group(f"g{n}"), depth - 1, count)


def entries(path: Path, count: int) -> None:
    """Many entries, each with the curve."""
    with h5py.File(path, "w") as file:
        for n in range(count):
            data(entry(file, f"sasentry{n:05d}").create_group("sasdata01"))


def curves(path: Path, count: int) -> None:
    """One entry with the curve many times."""
    with h5py.File(path, "w") as file:
        first = entry(file)
        for n in range(count):
            data(first.create_group(f"sasdata{n:05d}"))


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
        elif kind == "many":
            for n in range(3_000):
                first[f"again{n}"] = h5py.SoftLink("/sasentry01/sasdata01")
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


def images(path: Path, kind: str) -> None:
    """A detector's image in a file that leads back or branches."""
    with h5py.File(path, "w") as file:
        place = file.create_group("entry/instrument/detector")
        place["data"] = IMAGE
        file["entry"].attrs["NX_class"] = "NXentry"
        if kind == "links":
            for n in range(50):
                place[f"up{n}"] = h5py.SoftLink("/entry")
        elif kind == "wide":
            for n in range(WIDE):
                file.create_group(f"entry/a{n:06d}")
        elif kind == "many":
            for n in range(3_000):
                file[f"entry/again{n}"] = h5py.SoftLink("/entry/instrument/detector/data")


def xml(path: Path, kind: str) -> None:
    """CanSAS XML with a good curve and too much of something."""
    row = "".join(
        f"<Idata><Q unit='1/A'>{q:.6e}</Q><I unit='1/cm'>{i:.6e}</I><Idev unit='1/cm'>{0.02 * i:.6e}</Idev></Idata>"
        for q, i in zip(Q, I, strict=True)
    )
    head = "<?xml version='1.0'?><SASroot version='1.0' xmlns='cansas1d/1.0'"
    one = f"<SASentry><Title>t</Title><Run>1</Run><SASdata>{row}</SASdata><SASsample><ID>a</ID></SASsample>%s</SASentry>"
    body = {
        "attributes": f"{''.join(f' a{n}=' + repr('1') for n in range(30_000))}>{one % ''}",
        "namespaces": f"{''.join(f' xmlns:n{n}=' + repr(f'u{n}') for n in range(30_000))}>{one % ''}",
        "notes": f">{one % ('<SASnote>x</SASnote>' * 100_000)}",
        "nested": f">{one % ('<SASnote>' * 5_000 + '</SASnote>' * 5_000)}",
        "entries": ">" + one % "" * 400,
        "instructions": f">{one % ('<?a b?>' * 100_000)}",
        "comments": f">{one % ('<!-- b -->' * 100_000)}",
        "spaces": f">{' ' * 5_000_000}{one % ''}",
    }[kind]
    write(f"{head}{body}</SASroot>", path)


_TOGETHER = "classify a.dat b.dat --together --sample-file {}"
_FIT = "fit a.dat b.dat --together --time-limit 5 --models sphere --sample-file {}"
_BESIDE = "classify image.tif"  # the settings lie in geometry.toml

CASES: dict[str, Structure] = {
    "sample: arrays": Structure("refused", nested("kind = ", "[", "1", "]"), "s.toml", _TOGETHER),
    "sample: arrays in a section": Structure(
        "refused", nested("[scale]\n1 = ", "[", "1", "]", 400), "s.toml", _TOGETHER
    ),
    "sample: inline tables": Structure("refused", nested("[values]\nx = ", "{a=", "1", "}"), "s.toml", _TOGETHER),
    "sample: key of many parts": Structure("refused", dotted("solvents"), "s.toml", _TOGETHER),
    "sample: key of 2,000 parts": Structure("refused", dotted("solvents", 2_000), "s.toml", _TOGETHER),
    "sample: values of many parts": Structure("refused", dotted("values", 2_000), "s.toml", _TOGETHER),
    "sample: kind of many parts": Structure("refused", dotted("kind", 2_000), "s.toml", _TOGETHER),
    "sample: tie of many parts": Structure("refused", dotted("tie", 2_000), "s.toml", _TOGETHER),
    "sample: section of many parts": Structure("refused", nested("[a", ".a", "]", ""), "s.toml", _TOGETHER),
    "sample: many keys": Structure("refused", keys("solvents"), "s.toml", _TOGETHER),
    "sample: many sections": Structure("refused", sections(), "s.toml", _TOGETHER),
    "sample: tie in brackets": Structure(
        "refused", partial(write, f'[tie]\nradius = "{"(" * 5_000}1{")" * 5_000}"\n'), "s.toml", _TOGETHER
    ),
    "sample: tie of many signs": Structure("refused", partial(write, f'[tie]\nradius = "{"-" * 5_000}1"\n'), "s.toml", _FIT),
    "sample: tie of many sums": Structure("refused", partial(write, f'[tie]\nradius = "1{"+1" * 50_000}"\n'), "s.toml", _FIT),
    "sample: tie of powers": Structure("refused", partial(write, '[tie]\nradius = "9**9**9**9"\n'), "s.toml", _FIT),
    "sample: number of 5,000 digits": Structure("refused", partial(write, f"[scale]\n1 = {'9' * 5_000}\n"), "s.toml", _TOGETHER),
    "sample: number of 400 digits": Structure("refused", partial(write, f"[scale]\n1 = {'9' * 400}\n"), "s.toml", _TOGETHER),
    "sample: value of 400 digits": Structure("refused", partial(write, f"[values.x]\n1 = {'9' * 400}\n"), "s.toml", _TOGETHER),
    "sample: a date": Structure("refused", partial(write, "kind = 1979-05-27\n"), "s.toml", _TOGETHER),
    "sample: a list as solvent": Structure("refused", partial(write, "[solvents]\n1 = []\n2 = [1]\n"), "s.toml", _TOGETHER),
    "sample: material in brackets": Structure(
        "refused", partial(write, f'[solvents]\n1 = "{"(" * 1_000}H2O{")" * 1_000}@1"\n2 = 1\n'), "s.toml", _TOGETHER
    ),
    "sample: long material": Structure("refused", partial(write, f'[solvents]\n1 = "{"H2O" * 1_000}@1"\n2 = "D2O"\n'), "s.toml", _TOGETHER),
    "sample: long name": Structure("refused", partial(write, f'[solvents]\n{"x" * 500_000} = "D2O"\n'), "s.toml", _TOGETHER),
    "sample: pattern": Structure("refused", partial(write, f'[solvents]\n"{"*a" * 500}b" = "D2O"\n'), "s.toml", _TOGETHER),
    "sample: 20 GiB": Structure("refused", sparse, "s.toml", _TOGETHER),
    "sample: a pipe": Structure("refused", os.mkfifo, "s.toml", _TOGETHER),
    "sample: zeros": Structure("refused", lambda path: path.symlink_to("/dev/zero"), "s.toml", _TOGETHER),
    "sample: a folder": Structure("refused", os.mkdir, "s.toml", _TOGETHER),
    "sample: UTF-16": Structure("refused", partial(write, "kind = 'series'".encode("utf-16")), "s.toml", _TOGETHER),
    "option: tie in brackets": Structure("refused", partial(write, ""), "s.toml", f"fit a.dat b.dat --together --time-limit 5 --models sphere --tie radius={'(' * 5_000}1{')' * 5_000}"),
    "option: material in brackets": Structure("refused", partial(write, ""), "s.toml", f"fit a.dat --time-limit 5 --models sphere --solvent {'(' * 5_000}H2O{')' * 5_000}@1"),
    "image: arrays": Structure("refused", nested("beam_center = ", "[", "1", "]"), "geometry.toml", _BESIDE),
    "image: inline tables": Structure("refused", nested("x = ", "{a=", "1", "}"), "geometry.toml", _BESIDE),
    "image: key of many parts": Structure("refused", dotted("wavelength"), "geometry.toml", _BESIDE),
    "image: key of 2,000 parts": Structure("refused", dotted("wavelength", 2_000), "geometry.toml", _BESIDE),
    "image: many keys": Structure("refused", keys("a", 30_000), "geometry.toml", _BESIDE),
    "image: number of 5,000 digits": Structure("refused", partial(write, f"wavelength = {'9' * 5_000}\n"), "geometry.toml", _BESIDE),
    "image: number of 400 digits": Structure("refused", partial(write, f"wavelength = {'9' * 400}\n"), "geometry.toml", _BESIDE),
    "image: 20 GiB": Structure("refused", sparse, "geometry.toml", _BESIDE),
    "image: a pipe": Structure("either", os.mkfifo, "geometry.toml", _BESIDE),
    "image: mask is a pipe": Structure("refused", partial(write, 'mask_file = "/dev/zero"\n'), "geometry.toml", _BESIDE),
    **{f"HDF5: wide, {kind}": Structure("read", partial(wide, kind=kind), "x.h5") for kind in ("before", "beside", "attributes", "tree")},
    "HDF5: 300 entries": Structure("read", partial(entries, count=300), "x.h5"),
    "HDF5: 2,000 entries": Structure("read", partial(entries, count=2_000), "x.h5", data_sets=2_000),
    "HDF5: 1,000 curves in an entry": Structure("read", partial(curves, count=1_000), "x.h5", data_sets=1_000),
    **{f"HDF5: links, {kind}": Structure("read", partial(linked, kind=kind), "x.h5") for kind in ("two", "chain", "many", "product", "path", "external")},
    "HDF5: 40 levels down": Structure("either", partial(below, depth=40), "x.h5"),
    "HDF5: 900 levels down": Structure("either", partial(below, depth=900), "x.h5"),
    "HDF5: 20,000 levels down": Structure("either", partial(below, depth=20_000), "x.h5"),
    **{f"HDF5 image: {kind}": Structure("either", partial(images, kind=kind), "x.h5") for kind in ("links", "wide", "many")},
    **{f"XML: {kind}": Structure("read", partial(xml, kind=kind), "x.xml") for kind in ("attributes", "namespaces", "notes", "nested", "entries", "instructions", "comments", "spaces")},
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What came of one command."""

    code: int
    out: str
    error: str
    seconds: float  #: CPU time of all its processes, s; a busy machine changes it little.
    most_bytes: int


def run(command: Sequence[str], folder: Path, seconds: float = 4 * MOST_SECONDS) -> Ran:
    """Run sasnet in a folder with bounded memory and time on the clock."""
    with (folder / "out").open("w+b") as out, (folder / "error").open("w+b") as error:
        child = subprocess.Popen(
            [sys.executable, "-m", "sasnet_plugin", *command],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=error, start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_GIVEN, _GIVEN)),
        )  # fmt: skip
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.05)
        else:
            os.killpg(child.pid, signal.SIGKILL)
            _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = [(stream.seek(0), stream.read().decode("utf-8", "replace"))[1] for stream in (out, error)]
    return Ran(child.returncode, *texts, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def wrong(case: Structure, ran: Ran) -> str:
    """What is wrong with what came; empty where nothing is."""
    said = ran.error.strip()
    if ran.code < 0 or "Traceback" in said:
        return f"ended with {ran.code}: {said[-300:]}"
    if "report this" in said or re.search(r"\w(Error|Exception):", said) or "cannot be read as 1D" in said:
        return f"an internal exception: {said[:300]}"
    if len(said) > 2_000:
        return f"says {len(said):,} characters: {said[:200]}"
    if ran.seconds > MOST_SECONDS + EACH_SECONDS * case.data_sets or ran.most_bytes > MOST_BYTES:
        return f"took {ran.seconds:.0f} s and {ran.most_bytes / 1e6:.0f} MB"
    if case.expected == "refused" and ran.code == 0:
        return f"was accepted: {ran.out[:200]}"
    if case.expected == "read" and (ran.code != 0 or "Guinier" not in ran.out and "%" not in ran.out):
        return f"was not read: {said[:300]}"
    return ""


def tried(name: str, folder: Path) -> tuple[Ran, str]:
    """Make one case in an empty folder, and run it."""
    case = CASES[name]
    rows = np.column_stack([Q, I, 0.02 * I])
    np.savetxt(folder / "a.dat", rows, header="q(1/A) I dI")
    np.savetxt(folder / "b.dat", rows * [1, 2, 2], header="q(1/A) I dI")
    if case.command == _BESIDE:
        import tifffile

        tifffile.imwrite(folder / "image.tif", IMAGE)
    case.make(folder / case.name)
    seconds = 4 * (MOST_SECONDS + EACH_SECONDS * case.data_sets)
    ran = run(shlex.split(case.command.replace("{}", case.name)), folder, seconds)
    return ran, wrong(case, ran)


def structures(work: Path, count: int, seed: int) -> Counts:
    """The first `count` of `CASES`."""
    del seed
    found = Counts()
    for name in list(CASES)[:count]:
        folder = Path(tempfile.mkdtemp(dir=work))
        ran, problem = tried(name, folder)
        found.add(
            f"{name}: {problem} ({ran.seconds:.0f} s, {ran.most_bytes / 1e6:.0f} MB)" if problem else None
        )
        shutil.rmtree(folder, ignore_errors=True)
    return found
