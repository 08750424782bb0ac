"""The simulator of X-ray scattering images: scene → detector → counts and what can be seen in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from ....domains.heads import Targets
from ....domains.simulator import Layout, Mix, Row, Simulator
from ....simulate.dataset import digest_of
from ....types import Image
from ..labels import LABELS
from . import scenes
from .components import GRID
from .detector import MEASUREMENT
from .measurement import RULES, shot
from .out_of_distribution import KINDS, foreign


@dataclass(frozen=True)
class XraySimulator(Simulator):
    """Images of materials."""

    kinds = tuple(KINDS)
    mix = Mix(rows=60, uses=1, others=6, known=40)

    @property
    def layout(self) -> Layout:
        """Shards of some seconds of work."""
        numbers = scenes.CURVES * GRID.size + scenes.RINGS * scenes.RING_COLUMNS + scenes.SPOTS * 4
        return Layout(
            format=2,
            stem="scenes",
            content="{rows:,} scenes",
            rows=256,
            per_round=1024,
            row_bytes=4 * numbers + 400,
            settings=self._settings,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [{k: astuple(p) for k, p in scenes.PRIORS.items()}]
        tables += [scenes.MAIN, scenes.LATTICE, astuple(RULES)]
        return {"priors": digest_of(tables), "rings": scenes.RINGS, "spots": scenes.SPOTS}

    def inputs(self, folder: Any) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return {
            "counts": list(MEASUREMENT["counts"].limits()),
            "main": scenes.MAIN,
            "lattice": scenes.LATTICE,
            "beamstops": {name: list(MEASUREMENT[name].limits()) for name in ("disk", "bar", "head")},
        }

    def sample(self, rng: np.random.Generator) -> dict[str, float]:
        return scenes.draw_scene(rng)

    def clean(self, params: Mapping[str, float]) -> Row:
        """Return a scene as curves, rings and spots, without a detector."""
        return scenes.row(params)

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Measure scenes anew, each on a detector of its own; besides, ``counts`` and ``kind``."""
        shots = [shot(row, rng, exposure) for row in rows]
        return [image for image, _ in shots], {
            "tags": np.array([[tags[name] for name in LABELS] for _, tags in shots], dtype=np.float32),
            "counts": np.array([float(image.counts.sum()) for image, _ in shots]),
            "kind": np.array([scenes.main_of(row["parameters"]) for row in rows]),
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """An image that shows no scattering of a material, on a detector like the others."""
        return foreign(kind, rng, exposure)


SIMULATOR = XraySimulator()
