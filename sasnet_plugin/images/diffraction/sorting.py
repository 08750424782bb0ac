"""Unlabelled images sorted into clusters: embedded in a stream, a mixture of Gaussians, a file, a page."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...data.limits import sentence_of
from ...files import MARK, new_hdf5, put_in_one_step, remove_leftovers
from ...predict.predictor import open_predictor
from ...report.page.document import write_page
from ...types import SasnetError, describe_install
from ...workers.spread import Workers, map_unordered
from ..report import Section, Verdict, page
from . import prediction
from .prediction import FILE
from .reading import (
    LEAST_COUNTS,
    SECTORS,
    Polar,
    amplitudes,
    compute_ring_inputs,
    count_in_cells,
    cross_correlation,
    frames,
    rings,
)
from .specification import DIFFRACTION
from .training import Layer, encode

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# --- The numbers that decide how images are sorted, each with its unit and why.


@dataclass(frozen=True)
class Sorting:
    """Of `sasnet sort`."""

    #: Frames that are embedded at once and kept in one file: a kill loses one part under way, some seconds of
    #: work, and a million frames make some 500 files.
    part: int = 2048
    #: Points that the mixture is fitted to, at most. More change its clusters less than another draw does.
    fitted_to: int = 20_000
    components: int = 10  #: Principal components that are kept, at most; further ones hold noise of counting.
    #: Share of the points' variance that they need not exceed: the covariances of clusters grow with the
    #: square of their number, and with a few hundred images BIC takes too few clusters to pay for them.
    variance: float = 0.995
    most_clusters: int = 12  #: That BIC chooses among.
    starts: int = 4  #: Of the mixture's fit, the best of which is kept.
    #: Added to each variance, on the scale of the first component; few points have no volume else.
    regular: float = 1e-3
    #: Share of the points fitted to that are called noise, those of the least density: outliers.
    noise: float = 0.01
    bootstraps: int = 5  #: Fits to resampled points, which tell how stable the clusters are.
    #: Adjusted Rand index between fits to resampled points from which on clusters are called stable.
    stable: float = 0.8
    shown: int = 12  #: Images of each cluster on the page, representative ones, and as many borderline ones.
    similar: int = 24  #: Images that are listed as like a given one.
    traversed: int = 4  #: Components along which images are shown.


SORTING = Sorting()


# --- Frames of many files as points: read in a stream, a part at a time, kept on disk.

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

    inputs = compute_ring_inputs(found_rings)
    outputs = open_predictor(DIFFRACTION.name).runtime.run(inputs)
    return prediction.points(inputs, outputs) if name == "bodies" else prediction.tags(outputs)


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


# --- Principal components and a mixture of Gaussians: fitted by scikit-learn, applied to points in
# --- a stream.

#: Cluster of what belongs to none.
NOISE = -1


@dataclass(frozen=True)
class Mixture:
    """Clusters of points."""

    mean: Floats  #: (d,), of the points; taken off before `axes`.
    axes: Floats  #: (components, d), principal components, over the standard deviation of the first.
    weights: Floats  #: (k,)
    means: Floats  #: (k, components)
    covariances: Floats  #: (k, components, components)
    least_density: float  #: Logarithm of the density below which a point is noise.
    #: (numbers, 2), numbers of clusters that were tried, and the BIC of each; empty where the number was
    #: given.
    bic: Floats
    stability: float  #: Mean adjusted Rand index of the clusters with those of resampled points.
    #: (weights, offsets), of an autoencoder, which points go through first; empty where they do not.
    encoder: tuple[Layer, ...] = ()

    def reduce(self, points: NDArray[np.floating]) -> Floats:
        """Project points to principal components (n, components); SasnetError for others."""
        expected_size = len(self.encoder[0][0]) if self.encoder else len(self.mean)
        if points.shape[1] != expected_size:
            raise SasnetError(
                f"The clusters belong to another network ({expected_size} instead of {points.shape[1]}"
                " numbers for each image); sort all images again without --old."
            )
        return np.asarray((encode(points, self.encoder) - self.mean) @ self.axes.T)

    def clusters(self, points: NDArray[np.floating]) -> tuple[NDArray[np.int64], Floats]:
        """Cluster of each point, `NOISE` for outliers, and the probability of the likeliest; (n,) each."""
        joint = self._joint(self.reduce(points))
        total = np.logaddexp.reduce(joint, axis=1)
        best = joint.argmax(axis=1)
        probability = np.exp(joint[np.arange(len(best)), best] - total)
        return np.where(total < self.least_density, NOISE, best), probability

    def _joint(self, z: Floats) -> Floats:
        """Logarithm of weight and density of each cluster, (n, k)."""
        from scipy.linalg import solve_triangular

        log_densities = np.empty((len(z), len(self.weights)))
        for k, (weight, mean, covariance) in enumerate(
            zip(self.weights, self.means, self.covariances, strict=True)
        ):
            root = np.linalg.cholesky(covariance)
            apart = solve_triangular(root, (z - mean).T, lower=True)
            volume = np.log(np.diag(root)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)
            log_densities[:, k] = np.log(max(weight, 1e-300)) - volume - 0.5 * (apart**2).sum(axis=0)
        return log_densities

    def as_arrays(self) -> dict[str, Any]:
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "encoder"}
        for number, (weights, offsets) in enumerate(self.encoder):
            arrays |= {f"encoder{number}_weights": weights, f"encoder{number}_offsets": offsets}
        return arrays

    @classmethod
    def from_arrays(cls, stored: Mapping[str, Any]) -> Mixture:
        arrays = {name: values for name, values in stored.items() if not name.startswith("encoder")}
        number = (len(stored) - len(arrays)) // 2
        layers = [(stored[f"encoder{k}_weights"], stored[f"encoder{k}_offsets"]) for k in range(number)]
        return cls(**arrays, encoder=tuple(layers))


def _criteria(z: NDArray[np.float64], seed: int) -> list[tuple[int, float]]:
    most = min(SORTING.most_clusters, len(z) // 8)
    return [(k, float(_gaussians(z, k, seed, 1).bic(z))) for k in range(1, max(most, 1) + 1)]


def fit(
    points: NDArray[np.floating],
    rng: np.random.Generator,
    clusters: int | None = None,
    encoder: tuple[Layer, ...] = (),
) -> Mixture:
    """Fit a mixture to points (n, d), passed through `encoder` (of `autoencoder`) first. By default the
    number of clusters has the least Bayesian information criterion (G. Schwarz, Ann. Statist. 6 (1978) 461).
    Raises SasnetError without scikit-learn or with too few points.
    """
    try:
        import sklearn.decomposition  # noqa: F401
    except ImportError:
        raise SasnetError(
            f"Sorting needs scikit-learn, which is not installed; run {describe_install('diffraction')}"
        ) from None
    least = 4 * max(clusters or 2, 2)
    if len(points) < least:
        raise SasnetError(
            f"Only {len(points)} images have enough signal to be sorted; give at least {least}, or"
            f" fewer --clusters."
        )
    seed = int(rng.integers(2**31))
    reduction, z = _principal(encode(points, encoder), seed)
    axes = reduction.components_[: z.shape[1]]
    scale = float(z[:, 0].std()) or 1.0
    z = z / scale
    trials: list[Any] = []
    if not clusters:
        trials = _criteria(z, seed)
        clusters = min(trials, key=lambda pair: pair[1])[0]
    best = _gaussians(z, clusters, seed, SORTING.starts)
    return Mixture(
        reduction.mean_,
        axes / scale,
        best.weights_,
        best.means_,
        best.covariances_,
        float(np.quantile(best.score_samples(z), SORTING.noise)),
        np.array(trials).reshape(-1, 2),
        _stability(z, best, clusters, rng, seed),
        encoder,
    )


def _principal(points: NDArray[np.floating], seed: int) -> tuple[Any, NDArray[np.float64]]:
    """scikit-learn's PCA of points, and these in as many components as hold enough of their variance."""
    from sklearn.decomposition import PCA

    number = min(SORTING.components, len(points) // 4, points.shape[1])
    solver = "randomized" if number < points.shape[1] else "full"
    reduction = PCA(number, svd_solver=solver, random_state=seed)
    z = reduction.fit_transform(np.asarray(points, dtype=np.float64))
    # All where they hold less.
    enough = int(np.searchsorted(np.cumsum(reduction.explained_variance_ratio_), SORTING.variance)) + 1
    return reduction, z[:, :enough]


def _gaussians(z: Floats, clusters: int, seed: int, starts: int) -> Any:
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        clusters, reg_covar=SORTING.regular, n_init=starts, random_state=seed, max_iter=200
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that have not converged to the last digit
        return model.fit(z)


def _stability(z: Floats, best: Any, clusters: int, rng: np.random.Generator, seed: int) -> float:
    """Mean adjusted Rand index of fits to resampled points with the best one."""
    from sklearn.metrics import adjusted_rand_score

    if clusters < 2:
        return 1.0
    labels, again = best.predict(z), []
    for number in range(SORTING.bootstraps):
        refit = _gaussians(z[rng.integers(len(z), size=len(z))], clusters, seed + number + 1, 1)
        again.append(adjusted_rand_score(labels, refit.predict(z)))
    return float(np.mean(again))


# --- ``sorted.h5``: file, entry, cluster, probability and point of each image, and the mixture; a
# --- CSV.

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
                    zip(block.path, block.entry, cluster, map("{:.4f}".format, probability), strict=True)
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


# --- The page of a sorting: how many clusters and how stable, a map, a contact sheet of each,
# --- images alike.

#: Pixels of a side of a picture on a contact sheet, and pictures in a row.
_SIDE, _COLUMNS = 96, 12
#: Pixels between pictures, and above them for their names.
_GAP, _LABEL = 4, 18
#: Points on the map.
_DRAWN = 4000
#: Counts over the brightest hundredth's that are drawn as nothing.
_DECADES = 4.0


def _cluster(k: int, number: int, sorting: Sorted) -> Section:
    examples = np.concatenate([sorting.representative(k), sorting.borderline(k)])
    text = f"{number:,} images. Upper rows: the middle of the cluster; lower rows: the least certain ones."
    return _sheet(f"Cluster {k}", sorting, examples, text)


def write_report(
    path: Path,
    sorting: Sorted,
    like: tuple[str, Sequence[int]] | None = None,
    along: Sequence[NDArray[np.int64]] = (),
) -> None:
    """Write the page, with the images most like one (`like`: name and rows), and those along the largest
    components. Raises SasnetError if it cannot be written.
    """
    labels = [int(k) for k in np.unique(sorting.cluster) if k != NOISE]
    numbers = {k: int(np.count_nonzero(sorting.cluster == k)) for k in (*labels, NOISE)}
    stable = sorting.mixture.stability
    verdict = Verdict(
        f"{len(sorting.cluster):,} images in {len(labels)} clusters, {numbers[NOISE]:,} in none.",
        f"Sorting resampled images again gives clusters that agree by {stable:.2f} (adjusted Rand"
        f" index: 1 is identical, 0 is chance).",
        good=stable > SORTING.stable,
    )
    notes = ["Images of a cluster look alike after some rotation. A researcher must judge what they show."]
    if not verdict.good:
        notes.append("The clusters are not stable; use fewer clusters or more images.")
    sections = _sections(sorting, numbers, like, along)
    write_page(
        path, page("Sorted images", verdict, sections, facts={"embedding": sorting.embedding}, notes=notes)
    )


_ALONG = (
    "One component grows from left to right, from two standard deviations below its mean to two above."
    " Each step shows the image whose other components are nearest to their means. The visible change"
    " is the meaning of the component."
)
_MAP = "Each point is an image, in the plane of the two largest principal components; grey: in no cluster."
_BIC = (
    "Bayesian information criterion against the number of clusters; the number with the smallest"
    " value is used."
)


def _sections(
    sorting: Sorted,
    numbers: Mapping[int, int],
    like: tuple[str, Sequence[int]] | None,
    along: Sequence[NDArray[np.int64]],
) -> list[Section]:
    """Make the map and sheets of images: most alike, along components, of clusters, of noise."""
    sections = [Section("Map", lambda figure, paint: _map(figure, sorting), (8.4, 4.6), _MAP)]
    if len(sorting.mixture.bic):
        sections.append(
            Section(
                "Number of clusters",
                lambda figure, paint: _bic(figure, sorting.mixture.bic),
                (8.4, 2.4),
                _BIC,
            )
        )
    if like is not None:
        sections.append(
            _sheet(f"Most like {like[0]}", sorting, np.array(like[1]), "The most similar images come first.")
        )
    for number, rows in enumerate(along, start=1):
        sections.append(_sheet(f"Along component {number}", sorting, rows, _ALONG))
    sections += [_cluster(k, numbers[k], sorting) for k in list(numbers)[:-1]]
    if numbers[NOISE]:
        rows = sorting.representative(NOISE)
        sections.append(
            _sheet("Noise", sorting, rows, f"{numbers[NOISE]:,} images that lie far from every cluster.")
        )
    return sections


def _map(figure: Figure, sorting: Sorted) -> None:
    axes = figure.add_subplot()
    rows = np.arange(len(sorting.cluster))[:: max(1, len(sorting.cluster) // _DRAWN)]
    for k in np.unique(sorting.cluster[rows]):
        members = rows[sorting.cluster[rows] == k]
        colour = "0.7" if k == NOISE else f"C{k % 10}"
        name = "noise" if k == NOISE else str(k)
        x, y = sorting.plane[members].T
        axes.scatter(x, y, s=4, color=colour, label=name, rasterized=True)
    axes.set(xlabel="first component", ylabel="second component")
    axes.legend(fontsize=8, markerscale=2, ncols=2, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _bic(figure: Figure, bic: NDArray[np.float64]) -> None:
    axes = figure.add_subplot()
    axes.plot(bic[:, 0], bic[:, 1] - bic[:, 1].min(), "o-")
    axes.set(xlabel="clusters", ylabel="BIC above the least", yscale="symlog")


def _sheet(title: str, sorting: Sorted, rows: NDArray[Any], text: str) -> Section:
    pictures = [picture(str(sorting.file[row]), int(sorting.entry[row]), sorting.geometry) for row in rows]
    lines = max(1, -(-len(rows) // _COLUMNS))

    def draw(figure: Figure, paint: Any) -> None:
        tile = _SIDE + _GAP
        sheet = np.full((lines * (tile + _LABEL), _COLUMNS * tile), np.nan)
        axes = figure.add_subplot()
        for number, (row, shown_picture) in enumerate(zip(rows, pictures, strict=True)):
            top, left_edge = (number // _COLUMNS) * (tile + _LABEL) + _LABEL, (number % _COLUMNS) * tile
            if shown_picture is not None:
                tile_values = shown_picture[:_SIDE, :_SIDE]
                sheet[top : top + tile_values.shape[0], left_edge : left_edge + tile_values.shape[1]] = (
                    tile_values
                )
            label = f"{Path(str(sorting.file[row])).stem[:10]} {sorting.entry[row]}"
            axes.text(left_edge, top - _GAP, label, fontsize=5, parse_math=False)
        axes.imshow(sheet, vmin=-_DECADES, vmax=0, cmap="viridis", interpolation="nearest")
        axes.set_axis_off()

    return Section(title, draw, (8.4, 0.95 * lines), text)


def picture(file: str, entry: int, geometry: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The window of an image in decades below its brightest hundredth, `_SIDE` a side; None if it is gone."""
    try:
        block = next(frames(Path(file), geometry, start=entry - 1))
    except (SasnetError, StopIteration):
        return None
    counts, mask = block.counts[0], block.masks[0]
    column, row = (round(x) for x in block.window.centre)
    edge = round(block.window.edge)
    cut = slice(max(row - edge, 0), row + edge), slice(max(column - edge, 0), column + edge)
    step = max(1, 2 * edge // _SIDE)
    counts, mask = counts[cut], mask[cut]
    rows, columns = (n - n % step for n in counts.shape)
    blocks = (rows // step, step, columns // step, step)
    total = np.where(mask, counts, 0)[:rows, :columns].reshape(blocks).sum(axis=(1, 3))
    good_counts = mask[:rows, :columns].reshape(blocks).sum(axis=(1, 3))
    mean = np.where(good_counts > 0, total / np.maximum(good_counts, 1), np.nan)
    top = np.nanquantile(mean, 0.99) if np.isfinite(mean).any() else 1.0
    return np.asarray(np.log10(np.maximum(mean / max(top, 1e-9), 10**-_DECADES)), dtype=np.float64)
