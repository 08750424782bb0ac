"""``sorted.h5``: file, entry, cluster, probability and point of each image, and the mixture; a CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....files import MARK, new_hdf5, put_in_one_step
from ....types import SasnetError
from ..reading.features import LEAST_COUNTS
from .embedded import Points, network_of
from .mixture import NOISE, Mixture
from .settings import SORTING

#: Of the file's layout.
VERSION = 1
#: Points that are read at once.
_AT_ONCE = 8192
COLUMNS = ("file", "entry", "cluster", "probability")


@dataclass(frozen=True)
class Sorted:
    """What `sorted.h5` holds, without the points."""

    file: NDArray[Any]  #: (n,)
    #: entry, cluster: (n,)
    entry: NDArray[np.int64]
    cluster: NDArray[np.int64]
    probability: NDArray[np.float64]  #: (n,)
    plane: NDArray[np.float64]  #: (n, 2), place on the map.
    mixture: Mixture
    embedding: str
    geometry: tuple[str, ...]  #: Images were read with.
    networks: str  #: Checksums of those that made the points, as JSON; see `embedded.network_of`.

    def representative(self, cluster: int) -> NDArray[np.int64]:
        """Rows of the images that lie nearest to a cluster's middle on the map; of noise, any."""
        rows = np.flatnonzero(self.cluster == cluster)
        if cluster == NOISE or not rows.size:
            return rows[: SORTING.shown]
        middle = np.median(self.plane[rows], axis=0)
        spread = self.plane[rows].std(axis=0) + 1e-9
        apart = (((self.plane[rows] - middle) / spread) ** 2).sum(axis=1) - self.probability[rows]
        return np.asarray(rows[np.argsort(apart)[: SORTING.shown]])

    def borderline(self, cluster: int) -> NDArray[np.int64]:
        """Rows of the images that are the least sure to be a cluster's."""
        rows = np.flatnonzero(self.cluster == cluster)
        return np.asarray(rows[np.argsort(self.probability[rows])[: SORTING.shown]])


def _append(file: Any, name: str, values: NDArray[Any]) -> None:
    """Rows at the end of a data set, which is made for the first."""
    import h5py

    if name not in file:
        kind = h5py.string_dtype() if name == "file" else values.dtype
        item_shape = values.shape[1:]
        file.create_dataset(
            name, (0, *item_shape), kind, maxshape=(None, *item_shape), chunks=(4096, *item_shape)
        )
    length = len(file[name])
    file[name].resize(length + len(values), axis=0)
    file[name][length:] = values


def write(
    path: Path, blocks: Iterable[Points], mixture: Mixture, embedding: str, geometry: Sequence[str]
) -> int:
    """Write ``sorted.h5`` and its CSV and return the number of images. Raises SasnetError on failure."""
    table = path.with_suffix(".csv")
    n = 0
    try:
        with (
            put_in_one_step(path) as aside,
            put_in_one_step(table) as rows,
            new_hdf5(aside) as file,
            rows.open("w", encoding="utf-8", newline="") as stream,
        ):
            file.attrs.update(
                {"creator": MARK, "version": VERSION, "name": embedding, "geometry": list(geometry)}
            )
            file.attrs["networks"] = json.dumps(network_of(embedding))
            file["version"] = VERSION
            model = file.create_group("mixture")
            for name, values in mixture.as_arrays().items():
                model[name] = values
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            for block in blocks:
                cluster, probability = mixture.clusters(block.points)
                dark = block.counts < LEAST_COUNTS
                cluster, probability = np.where(dark, NOISE, cluster), np.where(dark, 0.0, probability)
                columns: dict[str, Any] = {
                    "file": block.path.astype(object),
                    "entry": block.entry,
                    "cluster": cluster,
                    "probability": probability,
                    "embedding": block.points,
                    "map": mixture.reduce(block.points)[:, :2],
                }
                for name, values in columns.items():
                    _append(file, name, values)
                writer.writerows(
                    zip(block.path, block.entry, cluster, (f"{p:.4f}" for p in probability), strict=True)
                )
                n += len(cluster)
    except OSError as error:
        raise SasnetError(
            f"{path}: cannot be written ({error.strerror or error}); make room or choose another place."
        ) from None
    return n


def read(path: Path) -> Sorted:
    """Read a sorting. Raises SasnetError if the file is none, or of another version."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if int(file["version"][()]) != VERSION:
                raise SasnetError(f"{path}: was written by another version; sort the images again.")
            model = {name: item[()] for name, item in file["mixture"].items()}
            return Sorted(
                file["file"].asstr()[()],
                file["entry"][()],
                file["cluster"][()],
                file["probability"][()],
                file["map"][()],
                Mixture.from_arrays(model),
                str(file.attrs["name"]),
                tuple(map(str, file.attrs["geometry"])),
                str(file.attrs.get("networks", "{}")),
            )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SasnetError(f"{path}: is not a file of 'sasnet sort' ({error}); give its sorted.h5.") from None


def nearest(
    path: Path, point: NDArray[np.floating], mixture: Mixture
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Find rows of the images nearest to a point (d,), with distances, in a stream."""
    target = mixture.reduce(point[None])[0]
    apart = np.concatenate([np.linalg.norm(z - target, axis=1) for _, z in _reduce_images(path, mixture)])
    rows = np.argsort(apart)[: SORTING.similar]
    return rows, apart[rows]


def _reduce_images(path: Path, mixture: Mixture) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Principal components of the images, some at a time, with the row of the first."""
    import h5py

    with h5py.File(path, "r") as file:
        points = file["embedding"]
        for start in range(0, len(points), _AT_ONCE):
            yield start, mixture.reduce(points[start : start + _AT_ONCE])


def traverse_components(path: Path, mixture: Mixture) -> list[NDArray[np.int64]]:
    """Find images along each of the largest components while the others stay near their mean, in a stream."""
    # Steps run between ±2 standard deviations; empty ones are skipped.
    # Real images are shown, as an embedding need not have a way back to images.
    mean = mixture.weights @ mixture.means
    square = mixture.weights @ (
        np.diagonal(mixture.covariances, axis1=1, axis2=2) + (mixture.means - mean) ** 2
    )
    spread = np.sqrt(np.maximum(square, 1e-12))
    number, shown_count = min(SORTING.traversed, mean.size), SORTING.shown
    least, rows = np.full((number, shown_count), np.inf), np.full((number, shown_count), -1, dtype=np.int64)
    for start, reduced in _reduce_images(path, mixture):
        z = (reduced - mean) / spread
        step = np.clip(((z + 2) / 4 * shown_count).astype(np.int64), 0, shown_count - 1)
        total = (z**2).sum(axis=1)
        for k in range(number):
            aside = total - z[:, k] ** 2
            for step_number in np.unique(step[:, k]):
                members = np.flatnonzero(step[:, k] == step_number)
                best = members[aside[members].argmin()]
                if aside[best] < least[k, step_number]:
                    least[k, step_number], rows[k, step_number] = aside[best], start + best
    return [row[row >= 0] for row in rows]
