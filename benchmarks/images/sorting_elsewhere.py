"""Are diffraction images sorted as well when another simulator made them?

``python -m benchmarks images/sorting_elsewhere`` sorts six kinds of bodies at any tilt from closed formulas,
which no part of the package knows, and the six kinds of `diffraction_sorting`; ``--write`` keeps the table.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.batch.sorting.mixture import fit
from sasnet_plugin.data.diffraction.features import amplitudes, of_rings
from sasnet_plugin.data.diffraction.polar import of_images, rings
from sasnet_plugin.predict.images.sorting import points, tags
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.simulate.diffraction.measurement import shot
from sasnet_plugin.simulate.diffraction.samples import draw_sample
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR
from sasnet_plugin.types import Image

from ..asked import parser_of
from ..tables import markdown
from . import formula_bodies
from .diffraction_sorting import BEAM, DETECTOR, FITTED, HELD_OUT, KINDS, PHOTONS, scores

Makers = dict[str, Callable[[int, np.random.Generator], Image]]


def own(kind: int, rng: np.random.Generator) -> Image:
    """A shot of the package's first simulator."""
    name, more = KINDS[kind]
    sample = draw_sample(rng, {name: 1}, {more: 1} if more else {}, 0 if more else 1, BEAM)
    return shot(SIMULATOR.clean(sample), rng, PHOTONS, DETECTOR)


def formula(kind: int, rng: np.random.Generator) -> Image:
    """A shot from closed formulas."""
    return formula_bodies.shot(formula_bodies.KINDS[kind], rng, PHOTONS)


def embeddings(
    make: Callable[[int, np.random.Generator], Image], seed: int
) -> dict[str, NDArray[np.float32]]:
    """Points of `FITTED` + `HELD_OUT` images by the name of the way."""
    rng = np.random.default_rng(seed)
    found = rings(of_images([make(kind, rng) for kind in _kinds()]))
    inputs = of_rings(found)
    outputs = open_predictor("diffraction").runtime.run(inputs)
    return {
        "bodies (`sasnet sort`)": points(inputs, outputs),
        "network": tags(outputs),
        "harmonics": amplitudes(found),
    }


def _kinds() -> NDArray[np.intp]:
    return np.arange(FITTED + HELD_OUT) % len(KINDS)


def measured(make: Callable[[int, np.random.Generator], Image], seeds: int) -> dict[str, NDArray[np.float64]]:
    """By way, (seeds, 6): homogeneity, completeness, adjusted Rand index, of what was fitted and held out."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    kinds = _kinds()
    for seed in range(seeds):
        for name, z in embeddings(make, 100 + seed).items():
            mixture = fit(z[:FITTED], np.random.default_rng(seed), len(KINDS))
            parts = [
                scores(kinds[s], mixture.clusters(z[s])[0]) for s in (slice(FITTED), slice(FITTED, None))
            ]
            found.setdefault(name, []).append(np.concatenate(parts))
    return {name: np.array(rows) for name, rows in found.items()}


def main() -> None:
    """Simulate, sort, print the table."""
    parser = parser_of(__doc__, seeds=5)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    makers: Makers = {"closed formulas, any tilt": formula, "the first training simulator": own}
    lines = []
    for simulator, make in makers.items():
        for way, rows in measured(make, asked.seeds).items():
            mean, spread = rows.mean(axis=0), rows.std(axis=0)
            lines.append([simulator, way, *(f"{m:.2f} ± {s:.2f}" for m, s in zip(mean, spread, strict=True))])
    names = ["homogeneity", "completeness", "adjusted Rand"]
    header = ["images by", "way", *names, *(f"{name}, held out" for name in names)]
    formulas, own_kinds = ", ".join(formula_bodies.KINDS), ", ".join(more or name for name, more in KINDS)
    text = (
        "# Sorting diffraction images of another simulator\n\n"
        f"Six kinds each: {formulas} from formulas; {own_kinds} of the package's own."
        f" {FITTED} images of {PHOTONS:.0e} photons fitted, {HELD_OUT} held out, their number given; mean ±"
        f' standard deviation over {asked.seeds} seeds. "Bodies" is trained on other shots of'
        " the package's two simulators, waves through smooth bodies and voxels; of formulas it has seen none."
        f" Wanted are 0.80, 0.80 and 0.70.\n\n{markdown(header, lines, texts=2)}"
    )
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
