"""Files that mean harm: what a reader may hang on, run out of memory with, or quietly misread.

`CASES` maps a name to a function that makes the file and says what is right: "refused" (one sentence), or
"either" where reading part of it with a note is as good.
"""

# ruff: noqa: E501 - a file a line
from __future__ import annotations

import bz2
import gzip
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np

Case = tuple[str, Callable[[Path], object]]
Q = np.geomspace(0.005, 0.3, 60)
I = 100 * np.exp(-((Q * 40) ** 2) / 3) + 0.1  # noqa: E741 - the quantity's name
ROWS = "".join(f"{q:.6e} {i:.6e} {0.02 * i:.6e}\n" for q, i in zip(Q, I, strict=True))
IMAGE = np.random.default_rng(5).poisson(40, (128, 128)).astype(np.int32)
XML = (
    "<?xml version='1.0'?><SASroot version='1.0' xmlns='cansas1d/1.0'><SASentry><Title>{title}</Title><Run>1"
    "</Run><SASdata>{rows}</SASdata><SASsample><ID>a</ID></SASsample></SASentry></SASroot>"
)


def write(text: str | bytes, path: Path) -> None:
    """Write text or bytes."""
    path.write_bytes(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)


def xml(path: Path, title: str = "t", unit: str = "1/A", rows: int = 60) -> None:
    """A CanSAS file."""
    points = "".join(
        f"<Idata><Q unit='{unit}'>{q:.6g}</Q><I unit='1/cm'>{i:.6g}</I></Idata>"
        for q, i in zip(np.linspace(0.01, 0.3, rows), np.linspace(9, 1, rows), strict=True)
    )
    write(XML.format(title=title, rows=points), path)


def nxcansas(path: Path, title: str = "t", unit: str = "1/angstrom", rows: int = 60) -> h5py.File:
    """An NXcanSAS file, open."""
    file = h5py.File(path, "w")
    entry = file.create_group("sasentry01")
    entry.attrs["canSAS_class"] = "SASentry"
    entry["title"] = title
    data = entry.create_group("sasdata01")
    for name, value in (("canSAS_class", "SASdata"), ("signal", "I"), ("I_axes", "Q")):
        data.attrs[name] = value
    data.attrs["Q_indices"] = 0
    if rows:
        data["Q"], data["I"] = np.geomspace(0.005, 0.3, rows), np.linspace(9, 1, rows)
        data["Q"].attrs["units"], data["I"].attrs["units"] = unit, "1/cm"
    return file


def links(path: Path, kind: str) -> None:
    """Links that lead back, out, or fan out without end."""
    with nxcansas(path) as file:
        group = file["sasentry01"]
        if kind == "soft":
            group["a"], group["b"] = h5py.SoftLink("/sasentry01"), h5py.SoftLink("/sasentry01")
        elif kind == "hard":
            group["a"], group["b"] = group, group
        elif kind == "self":
            group["a"] = h5py.SoftLink("/sasentry01/a")
        elif kind == "fan":
            for depth in range(40):
                below = group.create_group(f"level{depth}")
                group["again"] = below
                group = below
        elif kind == "deep":
            for _ in range(3000):
                group = group.create_group("g")


def outside(path: Path, kind: str) -> None:
    """Intensities that lie in another file."""
    with nxcansas(path, rows=0) as file:
        data = file["sasentry01/sasdata01"]
        data["Q"] = np.geomspace(0.005, 0.3, 60)
        if kind == "storage":
            data.create_dataset("I", (60,), "u1", external=[("/etc/passwd", 0, 60)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((60,), "f8")
            layout[:] = h5py.VirtualSource("/etc/passwd", "x", (60,))
            data.create_virtual_dataset("I", layout)
        else:
            other = path.with_name("other.hdf")
            with h5py.File(other, "w") as far:
                far["I"] = np.linspace(9, 1, 60)
            data["I"] = h5py.ExternalLink(other.name, "/I")


def claims(path: Path, shape: tuple[int, ...], beside: bool = False) -> None:
    """HDF5 that claims more than it holds."""
    with nxcansas(path, rows=60 if beside else 0) as file:
        data = file["sasentry01/sasdata01"]
        for name in ("extra",) if beside else ("Q", "I"):
            data.create_dataset(name, shape, "f8", chunks=True, fillvalue=1.0)


def stack(path: Path, shape: tuple[int, ...]) -> None:
    """Images claimed, none stored."""
    with h5py.File(path, "w") as file:
        file.create_dataset("entry/data", shape, "u2", chunks=(1,) * (len(shape) - 2) + (64, 64))


def tiff(path: Path, *, strips: int = 8, packed: bool = True, cut: float = 1.0, **changes: int) -> None:
    """A TIFF in strips; tags by number (``t256=...``), the next directory (``following``) may be changed."""
    body, offsets, sizes = bytearray(b"II*\0\0\0\0\0"), [], []
    for part in np.array_split(IMAGE, strips):
        data = zlib.compress(part.tobytes()) if packed else part.tobytes()
        offsets.append(len(body))
        sizes.append(len(data))
        body += data
    lists = len(body)
    body += struct.pack(f"<{strips}I", *offsets) + struct.pack(f"<{strips}I", *sizes)
    many = strips > 1
    tags = {256: 128, 257: 128, 258: 32, 259: 8 if packed else 1, 262: 1, 277: 1, 278: 128 // strips, 339: 2}
    tags |= {273: lists if many else offsets[0], 279: lists + 4 * strips if many else sizes[0]}
    tags |= {int(key[1:]): value for key, value in changes.items() if key[0] == "t"}
    at = len(body)
    body[4:8] = struct.pack("<I", at)
    body += struct.pack("<H", len(tags))
    for tag, value in sorted(tags.items()):
        body += struct.pack("<HHII", tag, 4, strips if tag in (273, 279) else 1, value)
    body += struct.pack("<I", at if changes.get("following") else 0)
    if cut < 1:  # the directory first, as detectors write it, so that only counts are missing
        shift = len(body) - at
        first = bytearray(b"II*\0\x08\0\0\0" + body[at:])
        for number in range(len(tags)):
            tag, kind, count, value = struct.unpack_from("<HHII", first, 10 + 12 * number)
            if tag in (273, 279):
                struct.pack_into(
                    "<HHII", first, 10 + 12 * number, tag, kind, count, len(first) + (tag == 279) * 4 * strips
                )
        room = len(first) + 8 * strips
        first += struct.pack(f"<{strips}I", *(o - 8 + room for o in offsets)) + struct.pack(
            f"<{strips}I", *sizes
        )
        body = first + body[8:lists]
        body = body[: room + int(cut * (lists - 8))]
        del shift
    write(bytes(body), path)


def npz(path: Path, shape: tuple[int, ...] = (16000, 16000)) -> None:
    """A small archive of a large array of zeros."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("counts.npy", "w", force_zip64=True) as entry,
    ):
        entry.write(header.getvalue())
        for _ in range(int(np.prod(shape)) * 8 // 2**24):
            entry.write(bytes(2**24))


def packed(path: Path, opener: Callable[..., io.BufferedIOBase], unit: bytes, times: int) -> None:
    """Repetition packed to almost nothing."""
    with opener(path, "wb") as stream:
        for _ in range(times):
            stream.write(unit)


def points(path: Path, number: int) -> None:
    """A curve of more points than any instrument measures."""
    q = np.linspace(1e-3, 0.5, number)
    np.savetxt(path, np.column_stack([q, 1 / q, 0.01 / q]), fmt="%.6g")


def sparse(path: Path, size: int = 20 * 2**30, start: bytes = b"") -> None:
    """A large file of nothing."""
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(size)


def edf(path: Path, width: int, height: int, data: bytes = b"") -> None:
    """An EDF whose header says its size."""
    head = f"{{\nHeaderID = EH:000001:000000:000000 ;\nDim_1 = {width} ;\nDim_2 = {height} ;\nDataType = SignedInteger ;\nByteOrder = LowByteFirst ;\nSize = {4 * width * height} ;\n"
    write(head.ljust(1022).encode() + b"}\n" + data, path)


def cbf(path: Path, pixels: int) -> None:
    """A CBF that claims its pixels."""
    write(
        b'###CBF: VERSION 1.5\r\n--CIF-BINARY-FORMAT-SECTION--\r\nconversions="x-CBF_BYTE_OFFSET"\r\n'
        + f"X-Binary-Size: 4\r\nX-Binary-Size-Fastest-Dimension: {pixels}\r\nX-Binary-Size-Second-Dimension: {pixels}\r\n\r\n".encode()
        + b"\x0c\x1a\x04\xd5\0\0\0\0",
        path,
    )


def text(content: str) -> Callable[[Path], object]:
    """A text file."""
    return partial(write, content)


def around(line: str, below: str = "") -> Callable[[Path], object]:
    """A good table below a header line, with something below."""
    return text(f"{line}\n{ROWS}{below}")


LONG = 200_000
_ESC = "\x1b]0;owned\x1b\\\x1b[2J\x1b[31m\u202e\x9b2J"
_BILLION = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
)
_THOUSANDS = "".join(f"{q:.6f} {1e4 * i:,.3f} {200 * i:.3f}\n" for q, i in zip(Q, I, strict=True))

CASES: dict[str, Case] = {
    "no-images.sans.reading": ("refused", text("FORMATVERSION: 1.0\nWAVELENGTH: 6\n")),
    "short.sans": ("refused", text("FORMATVERSION: 1.0\nSIZE_X: 100000\nSIZE_Y: 100000\nDATA:\n1 1\n")),
    "empty.sans": ("refused", text("DATA:\n")),
    **{f"links-{kind}.h5": ("either", partial(links, kind=kind)) for kind in ("soft", "hard", "self", "fan", "deep")},
    **{f"outside-{kind}.h5": ("refused", partial(outside, kind=kind)) for kind in ("link", "storage", "virtual")},
    "claims-10gb.h5": ("refused", partial(claims, shape=(1_250_000_000,))),
    "claims-beside.h5": ("either", partial(claims, shape=(1_250_000_000,), beside=True)),
    "claims-image.h5": ("refused", partial(stack, shape=(60_000, 60_000))),
    "claims-frames.h5": ("refused", partial(stack, shape=(2_000_000, 64, 64))),
    "claims-deep.h5": ("refused", partial(stack, shape=(1000, 1000, 1000, 64, 64))),
    "long-unit.h5": ("either", lambda path: nxcansas(path, unit="(" * 60_000).close()),
    "digits-unit.h5": ("either", lambda path: nxcansas(path, unit="a" * 60_000).close()),
    "escapes.h5": ("either", lambda path: nxcansas(path, title=_ESC).close()),
    "long-title.h5": ("either", lambda path: nxcansas(path, title="t" * LONG).close()),
    "long-unit.xml": ("either", partial(xml, unit="(" * LONG)),
    "letters-unit.xml": ("either", partial(xml, unit="a" * LONG)),
    "escapes.xml": ("either", partial(xml, title="\x85\x9b2J\u202e\u2066 t")),
    "long-title.xml": ("either", partial(xml, title="t" * LONG)),
    "laughs.xml": ("refused", text(_BILLION + "]><SASroot>&a9;</SASroot>")),
    "outside.xml": ("refused", text("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><SASroot>&x;</SASroot>")),
    "deep.xml": ("refused", text("<?xml version='1.0'?>" + "<SASroot>" * LONG)),
    "many.xml": ("refused", text("<?xml version='1.0'?><SASroot>" + "<a/>" * 6_000_000 + "</SASroot>")),
    "points.xml": ("either", partial(xml, rows=60_000)),
    "loop.tif": ("either", partial(tiff, packed=False, strips=1, following=1)),
    "loop-packed.tif": ("either", partial(tiff, following=1)),
    **{f"cut-{int(100 * cut)}.tif": ("refused", partial(tiff, cut=cut)) for cut in (0.1, 0.3, 0.6, 0.9, 0.99)},
    "cut-plain.tif": ("refused", partial(tiff, packed=False, cut=0.6)),
    "cut-one.tif": ("refused", partial(tiff, strips=1, cut=0.6)),
    "wide.tif": ("refused", partial(tiff, t256=100_000, t257=100_000)),
    "wide-plain.tif": ("refused", partial(tiff, packed=False, t256=100_000, t257=100_000)),
    "tall.tif": ("refused", partial(tiff, packed=False, strips=1, t257=4_000_000)),
    "far.tif": ("refused", partial(tiff, packed=False, strips=1, t273=4_000_000_000)),
    "counts.tif": ("refused", partial(tiff, t279=4_000_000_000)),
    "no-directory.tif": ("refused", partial(write, b"II*\0\xff\xff\xff\xff")),
    "head-only.tif": ("refused", partial(write, b"MM\0*")),
    "bomb.npz": ("refused", npz),
    "claims.npy": ("refused", lambda path: write(b"\x93NUMPY\x01\0v\0" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000), }".ljust(117) + b"\n", path)),
    "objects.npy": ("refused", lambda path: np.save(path, np.array([{}, 1], dtype=object), allow_pickle=True)),
    "nested.npy": ("refused", partial(write, b"\x93NUMPY\x01\0\xff\xff" + b"(" * 65535)),
    "letters.npz": ("refused", lambda path: np.savez(path, counts=np.array([["a"]]))),
    "bomb.txt.gz": ("refused", partial(packed, opener=gzip.open, unit=b"1 " * 2**20 + b"\n", times=600)),
    "bomb.int.bz2": ("refused", partial(packed, opener=bz2.open, unit=b"1 " * 2**20 + b"\n", times=30)),
    "bomb.edf.gz": ("refused", partial(packed, opener=gzip.open, unit=bytes(2**21), times=600)),
    "bomb.tif.gz": ("refused", partial(packed, opener=gzip.open, unit=b"II*\0" * 2**19, times=600)),
    "lines.int": ("refused", text("# BornAgain Intensity Data\n" + "1\n" * 8_000_000)),
    "axis.int": ("refused", text('# BornAgain Intensity Data\n# axis ' + "a" * LONG)),
    "blanks.int": ("refused", text('# BornAgain Intensity Data\n# axis-0\nEquiDivision("x", ' + " " * LONG + "x")),
    "axes.int": ("refused", text('# BornAgain Intensity Data\n# axis-0\nFixedBinAxis("x (rad)", ' + "9" * 5000 + ", 0, 1)\n1 2\n")),
    "claims.edf": ("refused", partial(edf, width=60_000, height=60_000)),
    "short.edf": ("refused", partial(edf, width=128, height=128, data=IMAGE.tobytes()[:9000])),
    "digits.edf": ("refused", partial(edf, width=int("9" * 4000), height=2)),
    "claims.cbf": ("refused", partial(cbf, pixels=16_000)),
    "newlines.cbf": ("refused", partial(write, b"###CBF: VERSION\n--CIF-BINARY-FORMAT-SECTION--" + b"\n" * 300_000 + b"\x0c\x1a\x04\xd5")),
    "million.txt": ("either", partial(points, number=1_000_000)),
    "sparse.dat": ("refused", sparse),
    "sparse.h5": ("refused", partial(sparse, start=b"\x89HDF\r\n\x1a\n")),
    "sparse.tif": ("refused", partial(sparse, start=b"II*\0")),
    "sparse.edf": ("refused", partial(sparse, start=b"{\nHeaderID = EH:000001:000000:000000 ;\n")),
    "sparse.npy": ("refused", partial(sparse, start=b"\x93NUMPY\x01\0")),
    "sparse.xml": ("refused", partial(sparse, start=b"<?xml version='1.0'?>")),
    "newlines.dat": ("refused", text("\n" * 30_000_000)),
    "ones.dat": ("refused", text("1\n" * 12_000_000)),
    "pairs.dat": ("refused", text("1 2\nx\n" * 5_000_000)),
    "wide.dat": ("refused", text("1 " * 12_000_000)),
    "pipe.dat": ("refused", os.mkfifo),
    "pipe.tif": ("refused", os.mkfifo),
    "random.dat": ("refused", lambda path: path.symlink_to("/dev/urandom")),
    "zero.tif": ("refused", lambda path: path.symlink_to("/dev/zero")),
    "terminal.dat": ("refused", lambda path: path.symlink_to("/dev/ptmx")),
    "round.dat": ("refused", lambda path: path.symlink_to(path)),
    **{f"header-{ord(sign)}.dat": ("either", around(sign * LONG)) for sign in "([{<\"' \t\\;,#-a1"},
    "header-inverse.dat": ("either", around("nm" + " " * LONG)),
    "header-over.dat": ("either", around("1" + " " * LONG + "/" + " " * LONG)),
    "header-lines.dat": ("either", around("\t\n" * 100_000)),
    "header-mixed.dat": ("either", around("q (" * 60_000)),
    "rows-long.pdh": ("either", text("t\nSAXS\n" + "9" * 5000 + " 0 0 0 0\n0\n0\n" + ROWS)),
    "rows-many.pdh": ("either", text("t\nSAXS\n99999999 0 0 0 0\n0\n0\n" + ROWS)),
    "blanks.pdh": ("either", text("t\nSAXS\n" + "1 " * LONG + "x\n0\n0\n" + ROWS)),
    "escapes.pdh": ("either", text(f"{_ESC}\nSAXS\n60 0 0 0 0\n0\n0\n{ROWS}")),
    "thousands.dat": ("refused", text(_THOUSANDS)),
    "swiss.dat": ("refused", text(_THOUSANDS.replace(",", "'"))),
    "german.dat": ("refused", text(_THOUSANDS.translate(str.maketrans(",.", ".,")))),
    "two-tables.dat": ("either", text("".join(f"{r} 1\n" for r in ROWS.splitlines()) + "".join(f"{q} 1 1\n" for q in np.linspace(0.4, 0.5, 100)))),
    "huge-numbers.dat": ("either", text("".join(f"1e300 1e{300 + n} 1\n{n}e-320 1e-320 1e-320\n" for n in range(1, 9)) + ROWS)),
    "digits.dat": ("either", around("9" * 6000 + " 1 2")),
    "underscores.dat": ("either", text(ROWS.replace("e+0", "_0e+0"))),
}  # fmt: skip
