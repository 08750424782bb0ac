"""Images that a model was fitted to, kept in its folder as its last layer reads them.

A later training is given other images, when the old ones may be gone: it goes over both. Of an image there
are a few hundred numbers and its labels; of its file's name only a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...files import put_in_one_step
from ...zoo import ZooModel

#: In the folder of a model.
FILE = "labelled.npz"


@dataclass(frozen=True)
class Remembered:
    """Labelled images."""

    seen: Floats  #: (n, size + 1), what the last layer reads of each, and 1.
    truth: Floats  #: (n, labels), 0, 1, or NaN where nobody has said.
    files: NDArray[np.str_]  #: (n,) array of str, digest of the name of the file of each.
    accepted: NDArray[np.bool_]  #: (n, labels), where a model had suggested what is said.

    @classmethod
    def create(
        cls, layer_inputs: Floats, truth: Floats, files: Sequence[str], accepted: NDArray[np.bool_]
    ) -> Remembered:
        """Images by the names of their files."""
        # As it is read again: else the first training would see other numbers than the next.
        names = np.array([digest(file) for file in files])
        return cls(layer_inputs.astype(np.float32).astype(float), truth, names, accepted)

    @property
    def judgement(self) -> Floats:
        """(n, labels) the truth by which a model is judged: not by what it has suggested itself."""
        return np.where(self.accepted, np.nan, self.truth)

    def and_others(self, model: ZooModel, given_names: Collection[str]) -> Remembered:
        """Add a model's labels, but for files `given_names` anew."""
        # Their fixed order keeps the held-out draw independent of who came first.
        if FILE not in model.manifest.sha256:
            return self._sort()
        with np.load(model.folder / FILE) as file:
            truth = file["truth"].astype(float)
            accepted = file["accepted"] if "accepted" in file else np.zeros(truth.shape, np.bool_)
            old = Remembered(file["seen"].astype(float), truth, file["files"], accepted)
        is_kept = ~np.isin(old.files, [digest(name) for name in given_names])
        parts = zip(self._parts(), old._parts(), strict=True)
        return Remembered(*(np.concatenate([new, old_values[is_kept]]) for new, old_values in parts))._sort()

    def _parts(self) -> tuple[NDArray[Any], ...]:
        return self.seen, self.truth, self.files, self.accepted

    def _sort(self) -> Remembered:
        order = np.lexsort((self.seen.sum(axis=1), self.files))
        return Remembered(*(values[order] for values in self._parts()))

    def write(self, folder: Path) -> None:
        """Lay them down in the folder of a model."""
        layer_inputs, truth = self.seen.astype(np.float32), self.truth.astype(np.float16)
        with put_in_one_step(folder / FILE, ending=".npz") as aside:
            np.savez_compressed(
                aside, seen=layer_inputs, truth=truth, files=self.files, accepted=self.accepted
            )


def digest(name: str) -> str:
    """Checksum of a file's name as in the labels."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]
