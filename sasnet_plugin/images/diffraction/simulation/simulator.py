"""The simulator of single-shot diffraction images: particle → clean pattern → detector → counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....domains.heads import Targets
from ....domains.simulator import Layout, Mix, Row, Simulator
from ....simulate.dataset import digest_of
from ....types import Image
from ..labels import LABELS, QUANTITIES
from . import samples
from .measurement import MEASUREMENT, PIXELS, shot, simulate_measurement
from .out_of_distribution import KINDS
from .patterns import CELLS, DECADES, SIZE, as_stored, intensity


@dataclass(frozen=True)
class DiffractionSimulator(Simulator):
    """Images of single free particles."""

    #: often, more: how often each kind is, and what is on top of it.
    often: Mapping[str, float] = field(default_factory=lambda: samples.BALANCED)
    more: Mapping[str, float] = field(default_factory=lambda: samples.BALANCED_MORE)
    alone: float = 64.0  #: How often nothing is, on the scale of `more`.

    kinds = tuple(KINDS)
    mix = Mix(rows=48, uses=1, others=6, known=40)

    @property
    def layout(self) -> Layout:
        return Layout(
            stem="shots",
            content="{rows:,} shots",
            rows=256,
            per_round=1024,
            row_bytes=2 * SIZE * SIZE + 400,
            settings=self._settings,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [{k: astuple(p) for k, p in samples.PRIORS.items()}]
        tables += [dict(self.often), dict(self.more), self.alone, samples.MATERIALS, samples.ENERGIES]
        tables += [samples.ELLIPTICAL, samples.ROUND, samples.BENT, samples.STREAK, DECADES]
        digest = digest_of(tables)
        return {"priors": digest, "size": SIZE, "cells": CELLS}

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return {
            "counts": list(MEASUREMENT["counts"].limits()),
            "kinds": dict(self.often),
            "more": dict(self.more),
        }

    def sample(self, rng: np.random.Generator) -> dict[str, float]:
        return samples.draw_sample(rng, self.often, self.more, self.alone)

    def clean(self, params: Mapping[str, float]) -> Row:
        return {"parameters": dict(params), "picture": as_stored(intensity(params))}

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Measure particles anew, each turned anew; besides, ``counts`` and ``kind``."""
        images = [shot(row, rng, exposure) for row in rows]
        tags = [samples.tags_of(row["parameters"]) for row in rows]
        return images, {
            "tags": np.array([[tag[name] for name in LABELS] for tag in tags], dtype=np.float32),
            "quantities": np.stack([_quantities(row["parameters"]) for row in rows]),
            "counts": np.array([float(image.counts.sum()) for image in images]),
            "kind": np.array([list(samples.SEED)[int(row["parameters"]["kind"])] for row in rows]),
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """An image of something else, on the same detector; more counts, or it could not be told."""
        level = exposure or max(MEASUREMENT["counts"](rng), 3e3)
        return simulate_measurement(KINDS[kind](PIXELS, rng), rng, level)


def _quantities(p: Mapping[str, float]) -> NDArray[np.float32]:
    """Return quantities on the network's scale; NaN for those the particle lacks."""
    kind = list(samples.SEED)[int(p["kind"])]
    hit = kind != "empty"
    regular = (
        hit
        and kind != "irregular"
        and (p["more"] < 0 or list(samples.SEED_MORE)[int(p["more"])] != "asymmetric")
    )
    prolate = regular and kind not in ("round", "elliptical")
    known_quantities = {
        "size": p["size"] if hit else np.nan,
        "axis_ratio": p["aspect"] if regular and kind != "round" else np.nan,
        "tilt": np.degrees(p["tilt"]) if prolate else np.nan,
    }
    values = [(quantity, float(known_quantities[quantity.name])) for quantity in QUANTITIES]
    return np.array(
        [quantity.scale_value(x) if np.isfinite(x) else np.nan for quantity, x in values], dtype=np.float32
    )


SIMULATOR = DiffractionSimulator()
