"""The simulator of growing films: film → pattern → detector → Poisson counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....domains.heads import Targets
from ....domains.simulator import Layout, Mix, Row, Simulator
from ....simulate.dataset import digest_of
from ....simulate.stream import scale_targets
from ....types import Image
from ...simulation import bornagain, out_of_distribution
from ...simulation.detector import MARGIN, simulate_measurement
from ...simulation.measurement import describe_training
from ...simulation.window import Window
from ..heads import FILM
from . import priors, stack
from .film import WINDOW, Film
from .pattern import pattern


@dataclass(frozen=True)
class FilmSimulator(Simulator):
    """Patterns of growing films."""

    window: Window = WINDOW  #: Without its margin.
    #: Kinds that need no lattice, and films that lie on their side.
    kinds = ("empty", "rings", "halo", "clouds", "turned")
    mix = Mix(rows=32, uses=1, others=3, known=40)

    @property
    def layout(self) -> Layout:
        """Shards of three seconds of work; a round is half a minute of one core."""
        pixels = int(np.prod(self.window.add_margin(MARGIN).shape))
        return Layout(
            stem="films",
            content="{rows:,} films",
            rows=128,
            per_round=1024,
            row_bytes=2 * pixels + 8 * len(astuple(priors.growing(1.0, 100.0))),
            settings=self._settings,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [astuple(prior) for prior in priors.FILM.values()]
        tables += [priors.SPREAD_LIMITS, priors.MOST_METAL, stack.METAL, stack.POLYMER, stack.SUBSTRATE]
        return {
            "window": asdict(self.window) | {"margin": MARGIN},
            "priors": digest_of(tables),
            "bornagain": bornagain.version(),
        }

    def configure(self, settings: Mapping[str, Any]) -> FilmSimulator:
        return replace(self, window=Window.from_json(settings["window"]))

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return describe_training(self.window, priors.FILM)

    def sample(self, rng: np.random.Generator) -> Film:
        return priors.sample_film(rng)

    def clean(self, params: Film) -> Row:
        """The square root of its pattern over the largest: half precision keeps ten decades to 0.1 %."""
        clean = pattern(params, self.window.add_margin(MARGIN))
        return {"parameters": asdict(params), "patterns": np.sqrt(clean / clean.max()).astype(np.float16)}

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Measure films anew; besides what is asked of them, ``counts`` says what was expected."""
        images, levels = [], []
        for row in rows:
            film, clean = Film(**row["parameters"]), partial(unpack_pattern, row)
            beam = film.wavelength, film.alpha_i
            image, measurement = simulate_measurement(clean, self.window, *beam, rng, exposure=exposure)
            images.append(image)
            levels.append(measurement.counts)
        true = [scale_targets(FILM, Film(**row["parameters"])) for row in rows]
        return images, {"quantities": np.stack(true), "counts": np.array(levels)}

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """A pattern of one of the `kinds` under the faults and the geometry of a film's."""
        film, wide = Film(**row["parameters"]), self.window.add_margin(MARGIN)

        def clean() -> NDArray[np.floating]:
            if kind == "turned":
                return out_of_distribution.turn_pattern(unpack_pattern(row), int(rng.choice([1, 3])))
            return out_of_distribution.KINDS[kind](wide, film.alpha_i, rng)

        return simulate_measurement(
            clean, self.window, film.wavelength, film.alpha_i, rng, exposure=exposure
        )[0]


def unpack_pattern(row: Row) -> NDArray[np.float32]:
    """The pattern of a stored row, its margin included; its largest pixel is 1."""
    return np.asarray(np.square(row["patterns"].astype(np.float32)))


SIMULATOR = FilmSimulator()
