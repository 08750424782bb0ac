"""The simulator of ordered spheres: geometry → basis → distribution of angles → detector → Poisson counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....domains.heads import Targets
from ....domains.simulator import Layout, Mix, Row, Simulator
from ....simulate.dataset import digest_of
from ....simulate.stream import scale_targets
from ....types import Image
from ...simulation import bornagain
from ...simulation import out_of_distribution as images
from ...simulation.detector import MARGIN, simulate_measurement
from ...simulation.measurement import Measurement, describe_training
from ...simulation.window import Window
from ..heads import GEOMETRY as ASKED
from .basis import Basis, basis, mix
from .geometry import N_HALF, WINDOW, Geometry
from .priors import CLOSEST, GEOMETRY, sample_geometry, sample_orientation

#: Those of `images.out_of_distribution`, and three that are made of patterns of this domain.
KINDS = ("empty", "rings", "halo", "streaks", "lone", "turned", "moved", "clouds")


@dataclass(frozen=True)
class Example:
    """One measured pattern and what is true of it."""

    image: Image  #: Counts are 0 where masked.
    family: str  #: Kind of distribution, see `priors.FAMILIES`.
    p: NDArray[np.float64]  #: (120,), share of each rotation angle.
    geometry: Geometry
    measurement: Measurement

    def collect_drawn(self) -> dict[str, float]:
        """Everything that was drawn besides p, by name, in the units of the priors' tables."""
        return asdict(self.geometry) | asdict(self.measurement)


def example(
    basis: Basis,
    rng: np.random.Generator,
    *,
    window: Window = WINDOW,
    half: NDArray[np.float32] | None = None,
    family: str | None = None,
    exposure: float | None = None,
) -> Example:
    """Draw one measurement from a basis on ``window.add_margin(MARGIN)``; `half` is `basis.half()` if
    computed. Family and exposure (expected counts of usable pixels) are drawn by default.
    """
    if basis.window != window.add_margin(MARGIN):
        raise ValueError(
            "the basis patterns belong to another angular range; calculate them for"
            " window.add_margin(MARGIN)."
        )
    kind, p = sample_orientation(rng, family=family)
    beam = basis.geometry.wavelength, basis.geometry.alpha_i
    clean = mix(basis.half() if half is None else half, p)
    image, measurement = simulate_measurement(lambda: clean, window, *beam, rng, exposure=exposure)
    return Example(image, kind, p, basis.geometry, measurement)


@dataclass(frozen=True)
class HexagonalSimulator(Simulator):
    """Patterns of spheres on hexagonal lattices."""

    window: Window = WINDOW  #: Without its margin.
    seed_ranges: bool = False  #: Geometries from the ranges of the seed of this work alone.
    kinds = KINDS
    #: Reading a basis costs as much as three examples.
    mix = Mix(
        rows=1,
        uses=28,
        others=4,
        held_out_uses=4,
        known=20,
        more=((10, {"family": "uniform"}, "xi", "uniform"),),
    )

    @property
    def layout(self) -> Layout:
        """Shards of a second of work, as they are: reading is what training waits for."""
        wide = self.window.add_margin(MARGIN)
        return Layout(
            stem="basis",
            content="bases of {rows:,} geometries",
            rows=8,
            per_round=1000,
            row_bytes=wide.rows * wide.columns * (2 * N_HALF + 4) + 100,
            settings=self._settings,
            unit=lambda name: GEOMETRY[name].unit,
            in_memory=False,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [astuple(prior) for prior in GEOMETRY.values()]
        tables += [CLOSEST, bornagain.PARTICLE, bornagain.FILM, bornagain.SUBSTRATE]
        return {
            "seed_ranges": self.seed_ranges,
            "window": asdict(self.window) | {"margin": MARGIN},
            "priors": digest_of(tables),
            "bornagain": bornagain.version(),
        }

    def configure(self, settings: Mapping[str, Any]) -> HexagonalSimulator:
        return replace(self, window=Window.from_json(settings["window"]), seed_ranges=settings["seed_ranges"])

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return describe_training(self.window, GEOMETRY)

    def sample(self, rng: np.random.Generator) -> Geometry:
        return sample_geometry(rng, seed_ranges=self.seed_ranges)

    def clean(self, params: Geometry) -> Row:
        """Its basis, in half precision."""
        factors = basis(params, self.window.add_margin(MARGIN), dtype=np.float16)
        return {"parameters": asdict(params), "amplitude": factors.amplitude, "ratio": factors.ratio}

    def basis(self, row: Row) -> Basis:
        geometry = Geometry(**row["parameters"])
        return Basis(geometry, self.window.add_margin(MARGIN), row["amplitude"], row["ratio"])

    def measure(
        self,
        rows: Sequence[Row],
        rng: np.random.Generator,
        *,
        exposure: float | None = None,
        family: str | None = None,
    ) -> tuple[list[Image], Targets]:
        """Measure bases anew, each under a distribution of its own."""
        # Besides what is asked of them: ``counts`` says what was expected, ``kind`` the family of the
        # distribution, ``width`` the decay length of the order, Å.
        examples: list[Example] = []
        last: Row | None = None
        for row in rows:
            if row is not last:
                of_row, last = self.basis(row), row
                half = of_row.half()
            examples.append(
                example(of_row, rng, window=self.window, half=half, family=family, exposure=exposure)
            )
        return [one_example.image for one_example in examples], {
            "xi": np.stack([one_example.p for one_example in examples]).astype(np.float32),
            "geometry": np.stack(
                [scale_targets(ASKED, one_example.collect_drawn()) for one_example in examples]
            ),
            "counts": np.array([one_example.measurement.counts for one_example in examples]),
            "width": np.array([one_example.geometry.width for one_example in examples]),
            "kind": np.array([one_example.family for one_example in examples]),
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """A pattern of one of the `kinds` under the same faults as a known one."""
        of_row = self.basis(row)
        beam = of_row.geometry.wavelength, of_row.geometry.alpha_i
        half = of_row.half() if kind in ("turned", "moved") else np.empty(0, dtype=np.float32)
        return simulate_measurement(
            lambda: make_unknown_pattern(kind, of_row, half, rng), self.window, *beam, rng, exposure=exposure
        )[0]


SIMULATOR = HexagonalSimulator()


def make_unknown_pattern(
    kind: str, basis: Basis, half: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a clean pattern of one of the `KINDS` on the basis' window, (rows, columns), not negative,
    arbitrary scale; `half` is `basis.half()`.
    """
    if kind == "lone":  # the same particles without any order
        return np.asarray(basis.amplitude, dtype=np.float64)
    if kind in ("turned", "moved"):
        pattern = mix(half, sample_orientation(rng)[1])
        return (
            images.turn_pattern(pattern, int(rng.integers(1, 4)))
            if kind == "turned"
            else _misplace_pattern(pattern, rng)
        )
    return images.KINDS[kind](basis.window, basis.geometry.alpha_i, rng)


def _misplace_pattern(pattern: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float64]:
    """A pattern of ordered particles under a wrong geometry: far off its place, or at another scale."""
    rows, columns = pattern.shape
    factor = np.exp(rng.choice([-1, 1]) * rng.uniform(0.45, 1.2)) if rng.random() < 0.5 else 1.0
    shift = rng.choice([-1, 1]) * rng.uniform(8, 24) if factor == 1.0 else 0.0
    row = np.clip(np.arange(rows) * factor, 0, rows - 1).astype(int)
    middle = (columns - 1) / 2
    column = np.clip((np.arange(columns) - middle) * factor + middle - shift, 0, columns - 1).astype(int)
    return np.asarray(pattern[np.ix_(row, column)], dtype=np.float64)
