"""Frames of many files as points: read in a stream, a part at a time, kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....data.failure import sentence_of
from ....files import put_in_one_step, remove_leftovers
from ....types import SasnetError
from ....workers.spread import Workers, map_unordered
from ..reading.features import LEAST_COUNTS, amplitudes, compute_ring_inputs
from ..reading.load import frames
from ..reading.polar import SECTORS, Polar, count_in_cells, cross_correlation, rings
from ..specification import DIFFRACTION
from .settings import SORTING

#: Ways to make points of images, the best on simulated ones (docs/studies.md) first.
#: The last two are networks over the harmonics, which are trained on the images themselves when all are read.
EMBEDDINGS = ("bodies", "network", "harmonics", "correlation", "profile", "tcvae", "contrastive")
LEARNED = EMBEDDINGS[-2:]
#: Of what the installed network says.
OF_NETWORK = EMBEDDINGS[:2]
#: Largest correlation that is compared.
_MOST = 2.0
#: File, number of its first frame and of the first that is not wanted.
Piece = tuple[str, int, int]
#: Size in bytes of a file and time of its last change, ns.
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """Frames that are embedded at once, which is what a kill loses."""

    path: str
    pieces: tuple[Piece, ...]  #: File, first frame, end.
    embedding: str
    geometry: tuple[str, ...]
    #: Size in bytes and time of the last change, ns, of the file of each piece when this was planned.
    stamps: tuple[Stamp, ...] = ()

    @property
    def frames(self) -> int:
        return sum(end - first for _, first, end in self.pieces)


@dataclass(frozen=True)
class Points:
    """Frames in the space of the embedding."""

    path: NDArray[np.str_]  #: (n,), of the file.
    entry: NDArray[np.int64]  #: (n,), number of the frame in its file, from 1.
    points: NDArray[np.float32]  #: (n, d)
    counts: NDArray[np.float64]  #: (n,), within the window.


def plan_parts(
    files: Sequence[str], folder: Path, name: str, geometry: tuple[str, ...], *, force: bool = False
) -> tuple[list[Part], list[str]]:
    """Plan the parts of a sorting, with a sentence for each file that has none. Raises SasnetError if the
    folder holds another sorting, unless `force`.
    """
    # A part's name is a checksum of what it depends on, so a changed file gets a new name.
    pieces: list[tuple[Piece, Stamp]] = []
    failed = []
    for file in files:
        try:
            stamp = _stamp(file)
            stream = frames(Path(file), geometry)
            total = next(stream).total
            stream.close()  # type: ignore[attr-defined]
        except Exception as error:  # one file must not stop the others, whatever is wrong with it
            failed.append(sentence_of(file, error))
            continue
        pieces += [
            ((file, start, min(start + SORTING.part, total)), stamp)
            for start in range(0, total, SORTING.part)
        ]
    settings = {"embedding": name, "geometry": list(geometry), "files": list(files)} | network_of(name)
    text = json.dumps(settings)
    _settle(folder, text, force=force)
    parts = []
    for group in _group_pieces(pieces):
        one_pieces, stamps = zip(*group, strict=True)
        digest = hashlib.sha256(json.dumps([text, one_pieces, stamps]).encode()).hexdigest()[:20]
        parts.append(Part(str(folder / f"part-{digest}.npz"), one_pieces, name, geometry, stamps))
    return parts, failed


def _stamp(file: str) -> Stamp:
    status = os.stat(file)
    return status.st_size, status.st_mtime_ns


def _group_pieces(pieces: Sequence[tuple[Piece, Stamp]]) -> list[list[tuple[Piece, Stamp]]]:
    """Pieces together as long as they have no more frames than a part."""
    groups: list[list[tuple[Piece, Stamp]]] = []
    frames_held = SORTING.part
    for piece in pieces:
        number = piece[0][2] - piece[0][1]
        if frames_held + number > SORTING.part:
            groups.append([])
            frames_held = 0
        groups[-1].append(piece)
        frames_held += number
    return groups


def _settle(folder: Path, settings: str, *, force: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "settings.json"
    if force:
        for path in (note, *folder.glob("part-*.npz")):
            path.unlink(missing_ok=True)
    if note.exists() and note.read_text(encoding="utf-8") != settings:
        raise SasnetError(
            f"{folder}: contains sorted images of other files or with another --embedding; give another"
            " --out, or repeat the command with --force."
        )
    if not note.exists():
        with put_in_one_step(note) as aside:
            aside.write_text(settings, encoding="utf-8")


def network_of(name: str) -> dict[str, Any]:
    """Which network an embedding is of: points of two cannot be compared."""
    if name not in OF_NETWORK:
        return {}
    from ....predict.predictor import open_predictor
    from ..prediction.sorting import FILE

    sha256 = open_predictor(DIFFRACTION.name).manifest.sha256
    digests = {"network": sha256["model.onnx"]}
    return digests | {"bodies": sha256.get(FILE, "")} if name == "bodies" else digests


def embed(
    parts: Sequence[Part], *, workers: Workers = 1, report_done: Callable[[int], None] | None = None
) -> None:
    """Embed missing parts and remove outdated ones; `workers` as in `map_unordered`."""
    if not parts:
        return
    folder, report_done = Path(parts[0].path).parent, report_done or (lambda number: None)
    remove_leftovers(folder)
    number = {part.path: part.frames for part in parts}
    missing = [part for part in parts if not Path(part.path).exists()]
    report_done(sum(number.values()) - sum(number[part.path] for part in missing))
    for path in map_unordered(make_part, missing, workers=workers):
        report_done(number[path])
    for old in set(folder.glob("part-*.npz")) - set(map(Path, number)):
        old.unlink(missing_ok=True)


def _points(piece: Piece, part: Part) -> Iterator[Points]:
    file, first, end = piece
    for block in frames(Path(file), part.geometry, start=first):
        number = min(len(block.counts), end - block.start)
        if number > 0:
            cells = count_in_cells(block.window, block.counts[:number], block.masks[:number])
            entries = block.start + 1 + np.arange(number)
            counts = cells.counts.sum(axis=(1, 2), dtype=np.float64)
            yield Points(np.full(number, file), entries, embed_cells(cells, part.embedding), counts)
        if block.start + len(block.counts) >= end:
            break


def make_part(part: Part) -> str:
    """Read and embed the frames of a part, and put its points in place in one step. Raises SasnetError if a
    file changed meanwhile.
    """
    blocks = [part_block for piece in part.pieces for part_block in _points(piece, part)]
    for (file, _, _), stamp in zip(part.pieces, part.stamps, strict=bool(part.stamps)):
        if _stamp(file) != stamp:
            raise SasnetError(
                f"{file}: was changed while it was read; repeat the command, which then continues."
            )
    joined = {
        name: np.concatenate([getattr(block, name) for block in blocks]) for name in Points.__annotations__
    }
    with put_in_one_step(Path(part.path), ending=".npz") as aside:
        np.savez(aside, **joined)  # type: ignore[arg-type]
    return part.path


def embed_cells(cells: Polar, name: str) -> NDArray[np.float32]:
    """Points of images in cells, (n, d)."""
    if name == "correlation":
        half = cross_correlation(cells)[..., : SECTORS // 2].clip(-1, _MOST)  # the other half is alike
        return np.asarray(half.reshape(len(half), -1))
    found_rings = rings(cells)
    if name in ("harmonics", *LEARNED):
        return amplitudes(found_rings)
    if name == "profile":
        return compute_ring_inputs(found_rings)["features"][..., 0]
    from ....predict.predictor import open_predictor
    from ..prediction import sorting

    inputs = compute_ring_inputs(found_rings)
    outputs = open_predictor(DIFFRACTION.name).runtime.run(inputs)
    return sorting.points(inputs, outputs) if name == "bodies" else sorting.tags(outputs)


def points_of(parts: Sequence[Part]) -> Iterator[Points]:
    """Read the points of all parts in order. Raises SasnetError if a part is damaged."""
    for part in parts:
        try:
            with np.load(part.path) as stored:
                yield Points(**{name: stored[name] for name in Points.__annotations__})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SasnetError(f"{part.path}: is damaged; delete it and repeat the command.") from error


def sample_of(parts: Sequence[Part], rng: np.random.Generator) -> NDArray[np.float32]:
    """Points that a mixture is fitted to, drawn from all parts alike; of frames that show anything."""
    total = sum(end - first for part in parts for _, first, end in part.pieces)
    share = min(1.0, SORTING.fitted_to / max(total, 1))
    chosen = []
    for points in points_of(parts):
        lit = np.flatnonzero(points.counts >= LEAST_COUNTS)
        chosen.append(points.points[lit[rng.random(lit.size) < share]])
    return np.concatenate(chosen) if chosen else np.empty((0, 0), np.float32)
