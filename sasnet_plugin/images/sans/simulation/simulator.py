"""The simulator of small-angle-scattering images: sample → clean curve → instrument → counts, in settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....domains.heads import Targets
from ....domains.simulator import Layout, Mix, Row, Simulator
from ....simulate.dataset import digest_of
from ....simulate.draws import loguniform
from ..heads import HEADS, LABELS, QUANTITIES
from ..reading.features import FRAMES, Settings
from ..reading.geometry import SmallAngle
from . import instruments, orientation, patterns
from .cells import count_in_cells, draw_cell_beam
from .form_factors import Q
from .measurement import MEASUREMENT, Background, draw_background, draw_beam, simulate_measurement
from .out_of_distribution import KINDS
from .samples import BOX, BOXES, FLAT, NAMES, PRIORS, SHARES, Sample, draw_sample, resize, row_of

_XI = next(head for head in HEADS if head.name == "xi")
#: Share of samples with an axis that have a direction; of these, of Maier–Saupe (the rest are Gaussian).
ORIENTED, MAIER_SAUPE = 0.35, 0.5
#: Order parameter of the first, width of the second in degrees; share of axes across their director.
P2, WIDTH, ACROSS = (0.05, 0.93), (8.0, 60.0), 0.15
#: Share of examples with one, two and three settings.
SETTINGS = (0.6, 0.25, 0.15)
#: Share of samples whose bodies keep apart; how strongly, and how far over 2π/q of the first feature.
INTERFERING, PACKING, APART = 0.15, (0.05, 2.0), (1.5, 6.0)
#: Tilt of a Bragg glass' field from the beam each way, standard deviation over the Bragg angle of its spots.
TILT = 1.0


@dataclass(frozen=True)
class Direction:
    """How particles' axes are distributed."""

    averages: NDArray[np.float64]  #: (13,), ⟨P_l⟩, l = 0, 2, … 24.
    director: float  #: Its angle from qx, radians.

    @property
    def p2(self) -> float:
        return float(self.averages[1])

    def shares(self) -> NDArray[np.float64]:
        """What is seen in each bin of the head of orientations; sums to 1."""
        turn = np.radians(_XI.grid) - self.director  # type: ignore[union-attr]
        distribution = orientation.project_in_plane(self.averages, turn)
        return distribution / distribution.sum()


def draw_direction(rng: np.random.Generator) -> Direction:
    director = float(rng.uniform(0, np.pi))
    if rng.random() >= MAIER_SAUPE:
        return Direction(orientation.gaussian(loguniform(*WIDTH, rng)), director)
    across = rng.random() < ACROSS
    p2 = float(rng.uniform(-0.35, -0.05) if across else rng.uniform(*P2))
    return Direction(orientation.maier_saupe(orientation.strength_of(p2)), director)


@dataclass(frozen=True)
class SansSimulator(Simulator):
    """Images of pinhole instruments."""

    kinds = tuple(KINDS)
    mix = Mix(rows=32, uses=1, others=5, known=40)

    @property
    def layout(self) -> Layout:
        """Shards of some ten seconds of work."""
        return Layout(
            stem="samples",
            content="{rows:,} samples",
            rows=128,
            per_round=1024,
            row_bytes=Q.size * 30,
            settings=self._settings,
            compressed=("directed",),
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [{k: astuple(p) for k, p in part.items()} for part in PRIORS.values()]
        tables += [SHARES, FLAT, BOXES, BOX, list(NAMES), Q.size]
        digest = digest_of(tables)
        return {"priors": digest, "q": [float(Q[0]), float(Q[-1])]}

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        from ..reading.polar import Q_LEAST, Q_MOST

        return {
            "q_range": [Q_LEAST, Q_MOST],
            "frames": FRAMES,
            "instruments": [instrument.name for instrument in instruments.INSTRUMENTS],
            "counts": list(MEASUREMENT["counts"].limits()),
        }

    def sample(self, rng: np.random.Generator) -> Sample:
        return draw_sample(rng)

    def clean(self, params: Sample) -> Row:
        return row_of(params)

    def measure(
        self,
        rows: Sequence[Row],
        rng: np.random.Generator,
        *,
        exposure: float | None = None,
        settings: int | None = None,
    ) -> tuple[list[Settings], Targets]:
        """Measure samples in one or several settings of similar counts; exposure (expected counts of an
        image) and number of settings are drawn by default.
        """
        # Adds ``counts``, ``settings``, ``covered`` (the first feature lies well within a q range) and
        # ``kind``.
        rows = [resize(row, rng) for row in rows]
        found_images, covered, directions = [], [], []
        for row in rows:
            number = settings or int(rng.choice(len(SETTINGS), p=SETTINGS)) + 1
            feature = float(row["parameters"]["feature"])
            beams = [draw_cell_beam(rng, feature) for _ in range(number)]
            sample = draw_posture(row, rng)
            if rng.random() < INTERFERING:
                sample = replace(sample, packing=loguniform(*PACKING, rng), apart=loguniform(*APART, rng))
            level = exposure or MEASUREMENT["counts"](rng)
            images = [
                count_in_cells(
                    sample.intensity(beam.geometry, fine=True), beam, draw_background(rng), rng, level
                )
                for beam in beams
            ]
            found_images.append(Settings(tuple(images)))
            covered.append(any(beam.covers(feature) for beam in beams))
            directions.append(sample.turned)
        return found_images, self.targets(rows, directions) | {
            "counts": np.array(
                [sum(float(image.counts.sum()) for image in beam.images) for beam in found_images]
            ),
            "covered": np.array(covered),
            "settings": np.array([len(beam) for beam in found_images]),
        }

    def targets(self, rows: Sequence[Row], directions: Sequence[Direction | None]) -> dict[str, Any]:
        """What is true of samples, by head, and their class as ``kind``."""
        labels = np.array([int(row["parameters"]["label"]) for row in rows])
        pairs = list(zip(rows, directions, strict=True))
        return {
            "class": labels,
            "quantities": np.stack([_quantities(*pair) for pair in pairs]),
            "xi": np.stack([_shares(*pair) for pair in pairs]),
            "kind": np.array(LABELS)[labels],
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Settings:
        """An image that shows no sample, of an instrument with all its pixels and the same faults."""
        beam = draw_beam(rng)
        background = Background() if kind == "empty" else draw_background(rng)
        level = exposure or MEASUREMENT["counts"](rng)
        return Settings((simulate_measurement(KINDS[kind](beam.true, rng), beam, background, rng, level),))


@dataclass(frozen=True)
class Posture:
    """A sample as it stands in the beam, the same in all settings."""

    row: Row
    turned: Direction | None = None  #: Of its particles' axes; None where every direction is alike.
    turn: float = 0.0  #: Of a Bragg glass: angle of a spot, radians.
    tilt: tuple[float, float] = (0.0, 0.0)  #: Tilt of the field over the Bragg angle.
    #: packing, apart: of bodies that keep apart: how strongly; how far, over 2π/q of the first feature.
    packing: float = 0.0
    apart: float = 1.0

    def intensity(self, geometry: SmallAngle, *, fine: bool = False) -> NDArray[np.float64]:
        """Scattering into each direction, arbitrary scale; `fine` averages spots over cells."""
        values = self.row["parameters"]
        if LABELS[int(values["label"])] == "bragg_glass":
            assert geometry.setting is not None
            bragg = float(np.degrees(np.pi / values["spacing"] / geometry.setting.k))
            tilt = bragg * self.tilt[0], bragg * self.tilt[1]
            return patterns.spots(values, geometry, self.turn, tilt, fine=fine)
        far = self.apart * 2 * np.pi / values["feature"]
        factor = patterns.interference(geometry.q, self.packing, far) if self.packing and far > 0 else 1.0
        turned = () if self.turned is None else (self.turned.averages, self.turned.director)
        return factor * patterns.pattern(self.row, geometry, *turned)


def draw_posture(row: Row, rng: np.random.Generator) -> Posture:
    """Draw how a sample stands in the beam."""
    has_axis = bool(np.any(row["directed"]))
    turned = draw_direction(rng) if has_axis and rng.random() < ORIENTED else None
    tilt = rng.normal(0, TILT, 2)
    return Posture(row, turned, float(rng.uniform(0, np.pi / 3)), (float(tilt[0]), float(tilt[1])))


def _quantities(row: Row, turned: Direction | None) -> NDArray[np.float32]:
    """Return quantities on the network's scale; NaN for those the sample lacks."""
    values = dict(row["parameters"])
    has_axis = bool(np.any(row["directed"]))
    values["p2"] = (turned.p2 if turned else 0.0) if has_axis else np.nan
    pairs = [(quantity, values.get(quantity.name, np.nan)) for quantity in QUANTITIES]
    return np.array(
        [quantity.scale_value(x) if np.isfinite(x) else np.nan for quantity, x in pairs], dtype=np.float32
    )


def _shares(row: Row, turned: Direction | None) -> NDArray[np.float32]:
    bins = _XI.bins  # type: ignore[union-attr]
    if LABELS[int(row["parameters"]["label"])] == "bragg_glass":
        return np.full(bins, np.nan, dtype=np.float32)
    return (np.full(bins, 1 / bins) if turned is None else turned.shares()).astype(np.float32)


SIMULATOR = SansSimulator()
