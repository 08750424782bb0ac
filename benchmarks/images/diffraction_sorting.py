"""Six kinds of simulated particles sorted without labels: by the network's tags and by other ways.

``python -m benchmarks images/diffraction_sorting --work W`` writes the table beside this file; sets of images
are kept in W. One beam time: helium at 30 eV, 25 degrees to the edge of the window, 10⁵ photons, one
detector.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.batch.sorting.embedded import embedded
from sasnet_plugin.batch.sorting.mixture import fit
from sasnet_plugin.data.diffraction.polar import cross_correlation, of_images
from sasnet_plugin.simulate.diffraction.measurement import shot
from sasnet_plugin.simulate.diffraction.samples import draw_sample
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR
from sasnet_plugin.train import autoencoder, contrastive

from ..asked import parser_of

KINDS = (
    ("round", ""),
    ("elliptical", ""),
    ("streak", ""),
    ("bent", ""),
    ("round", "newton"),
    ("round", "double"),
)
BEAM = {"theta": float(np.radians(25)), "delta": 0.0068, "beta": 0.0398}
DETECTOR = {
    "hole": 0.08,
    "gap": 0.0,
    "beside": 0.0,
    "dead": 0.0,
    "saturation": 0.0,
    "stray": 0.0,
    "flat": 0.01,
}
DETECTOR |= {"uneven": 0.0, "centre": 0.0}
PHOTONS, FITTED, HELD_OUT = 1e5, 360, 180
#: Shots without labels, of another seed, that an autoencoder learns from instead of the fitted ones, and its
#: batches: over the last thousand the loss falls by 0.6 %.
SHOTS, SHOTS_SEED, BATCHES = 3000, 50, 8000
OTHER, MANY = "other shots", f"{SHOTS:,} images"
_NOTE = (
    "Wanted are 0.85, 0.88 and 0.80 on what was fitted, 0.80, 0.82 and 0.72 held out, and a number within two"
    " of six: with some hundred images the network reaches them, no other way does. No kind is a Gaussian, so"
    " of thousands of images BIC takes the largest number that is tried: clusters are still of one kind each,"
    " kinds are in several clusters. Mixtures call a hundredth of the images noise, which no kind is. A"
    " β-TCVAE was trained for 3,000 batches on the fitted images alone, or for"
    f" {BATCHES:,} on {SHOTS:,} others of the same kinds."
)


def images(seed: int, number: int, work: Path) -> dict[str, np.ndarray]:
    """Pictures, embeddings and kinds of so many particles, as many of each kind."""
    path = work / f"six-{seed}-{number}.npz"
    if path.exists():
        return dict(np.load(path))
    rng = np.random.default_rng(seed)
    kinds = np.arange(number) % len(KINDS)
    found = []
    for kind in kinds:
        name, more = KINDS[kind]
        sample = draw_sample(rng, {name: 1}, {more: 1} if more else {}, 0 if more else 1, BEAM)
        found.append(shot(SIMULATOR.clean(sample), rng, PHOTONS, DETECTOR))
    cells = of_images(found)
    small = np.stack([one.counts.reshape(32, 3, 32, 3).sum(axis=(1, 3)) for one in found])
    made = {
        "kind": kinds,
        "images": np.log10(1 + small).reshape(number, -1).astype(np.float32),
        "correlation": np.clip(cross_correlation(cells)[:, :, :32], -1, 2).reshape(number, -1),
        "harmonics": embedded(cells, "harmonics"),
        "network": embedded(cells, "network"),
    }
    work.mkdir(parents=True, exist_ok=True)
    np.savez(path, **made)
    return made


def spectral(points: np.ndarray, seed: int) -> np.ndarray:
    """Spectral clustering of raw images, number given."""
    from sklearn.cluster import SpectralClustering

    return np.asarray(
        SpectralClustering(
            len(KINDS), affinity="nearest_neighbors", n_neighbors=12, random_state=seed
        ).fit_predict(points)
    )


def latent(name: str, what: str, seen: np.ndarray, seed: int, work: Path) -> tuple[autoencoder.Layer, ...]:
    """Encoder of a way's β-TCVAE; none where it has none.

    Parameters
    ----------
    name, what : str
        Of the way, and of what it makes of images.
    seen : (n, d) array
        Points of the images that the mixture is fitted to.
    seed : int
    work : Path
        Where the one of other shots is kept, which is the same for all seeds.
    """
    if "contrastive" in name:
        return contrastive.fit(seen, seed)
    if "TCVAE" not in name:
        return ()
    if OTHER not in name:
        return autoencoder.fit(seen, seed)
    path = work / f"tcvae-{what}-{SHOTS}.npz"
    if not path.exists():
        layers = autoencoder.fit(
            images(SHOTS_SEED, SHOTS, work)[what], 0, autoencoder.AutoencoderConfig(steps=BATCHES)
        )
        np.savez(path, **{f"{n}": part for n, part in enumerate(part for layer in layers for part in layer)})
    with np.load(path) as file:
        parts = [file[str(n)] for n in range(len(file.files))]
    return tuple(zip(parts[::2], parts[1::2], strict=True))


def scores(truth: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """Homogeneity, completeness, adjusted Rand index."""
    from sklearn.metrics import adjusted_rand_score, completeness_score, homogeneity_score

    return tuple(
        float(score(truth, found)) for score in (homogeneity_score, completeness_score, adjusted_rand_score)
    )


def main() -> None:
    """Run all contestants and write the table."""
    parser = parser_of(__doc__, work=True, write=False, seeds=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [
        "# Sorting diffraction images without labels",
        "",
        f"Six kinds (round, elliptical, streak, bent, Newton rings, double rings), {FITTED} images of"
        f" {PHOTONS:.0e} photons fitted, {HELD_OUT} held out; mean ± standard deviation over"
        f" {options.seeds} seeds. The network has never seen these shots, but others of its prior, with their"
        " tags; the other ways know no tags.",
        "",
        "| way | homogeneity | completeness | adjusted Rand | clusters | seconds |",
        "|---|---|---|---|---|---|",
    ]
    given = len(KINDS)
    ways: dict[str, tuple[str, int | None, bool]] = {
        "spectral clustering of images": ("images", given, False),
        "images, PCA, mixture": ("images", given, False),
        "cross-correlation, PCA, mixture": ("correlation", given, False),
        "harmonics, PCA, mixture": ("harmonics", given, False),
        "harmonics, β-TCVAE, mixture": ("harmonics", given, False),
        f"harmonics, β-TCVAE of {SHOTS:,} {OTHER}, mixture": ("harmonics", given, False),
        "cross-correlation, β-TCVAE, mixture": ("correlation", given, False),
        "harmonics, contrastive, mixture": ("harmonics", given, False),
        "harmonics, number by BIC, held out": ("harmonics", None, True),
        "network, PCA, mixture": ("network", given, False),
        "network, held out": ("network", given, True),
        "network, number by BIC": ("network", None, False),
        "network, number by BIC, held out": ("network", None, True),
        f"network, number by BIC, of {MANY}": ("network", None, False),
    }
    for name, (what, clusters, apart) in ways.items():
        rows: list[tuple[Any, ...]] = []
        for seed in range(options.seeds):
            many = MANY in name
            seen = images(*((SHOTS_SEED, SHOTS) if many else (2 * seed + 100, FITTED)), options.work)
            other = images(2 * seed + 101, HELD_OUT, options.work) if apart else seen
            began = time.process_time()
            if name.startswith("spectral"):
                labels, number = spectral(seen[what], seed), given
            else:
                encoder = latent(name, what, seen[what], seed, options.work)
                mixture = fit(seen[what], np.random.default_rng(seed), clusters, encoder)
                labels, number = mixture.clusters(other[what])[0], len(mixture.weights)
            spent = time.process_time() - began
            rows.append((*scores(other["kind"], labels), number, spent))
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean[:3], spread[:3], strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} | {mean[3]:.1f} ± {spread[3]:.1f} | {mean[4]:.1f} |")
        print(lines[-1], flush=True)
    lines += ["", _NOTE]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
