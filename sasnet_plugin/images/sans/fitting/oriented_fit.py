"""What a fit of an oriented image says: values with bands, a verdict, sentences, a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....digits import format_with_error, significant
from ....predict.findings import Value
from ..reading.geometry import SmallAngle
from ..reading.polar import N_RINGS, N_SECTORS
from ..simulation.orientation import maier_saupe, strength_of
from ..simulation.patterns import pattern
from .cells import Cells
from .oriented import row_at
from .oriented_settings import SETTINGS
from .unevenness import Unevenness

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class OrientedFit:
    """A fit, simulated again."""

    body: str
    values: Mapping[str, Value]  #: ``radius``, ``aspect``, ``radius_pd``, ``p2``, ``director``.
    cells: Cells
    expected: NDArray[np.float64]  #: (n,), counts of each cell.
    chisq: float  #: Poisson deviance over degrees of freedom.
    misfit: float  #: Root mean square of what is off beyond counting, over the mean.
    at_limit: tuple[str, ...] = ()
    #: Scale of the body, flat background, and of what slits and windows scatter as q to `SETTINGS.powers`.
    amplitudes: tuple[float, ...] = (1.0, 0.0)
    unevenness: Unevenness | None = None  #: Of the detector's efficiency.
    #: Order parameter and director, degrees, of a fit a quarter turn from this that is as good.
    other: tuple[float, float] | None = None
    title = "Simulated again"

    def intensity(self, geometry: SmallAngle) -> NDArray[np.float64]:
        """What the fit scatters into each pixel, per solid angle of one in the beam, (rows, columns)."""
        values = {name: value.value for name, value in self.values.items()}
        averages = maier_saupe(strength_of(values["p2"]))
        row = row_at(self.body, values, geometry)
        scale, flat, *slits = self.amplitudes
        intensity = scale * pattern(row, geometry, averages, float(np.radians(values["director"]))) + flat
        for amplitude, power in zip(slits, SETTINGS.powers, strict=False):
            intensity = intensity + amplitude * np.maximum(geometry.q, 1e-9) ** -power
        return intensity

    @property
    def verified(self) -> bool:
        """Whether the image simulated again is the measured one, within counting or the detector's faults."""
        good = self.chisq <= SETTINGS.chisq or self.misfit <= SETTINGS.misfit
        return good and not self.at_limit

    @property
    def headline(self) -> str:
        """What the image is by a fit that was verified; empty for one that was not."""
        if not self.verified:
            return ""
        texts = {name: format_with_error(v.value, v.error) for name, v in self.values.items()}
        return (
            f"Verified fit: {self.body}, radius {texts['radius']} Å, aspect {texts['aspect']}; ⟨P₂⟩"
            f" {texts['p2']} about {texts['director']}°, anticlockwise from the right."
        )

    def as_dict(self) -> dict[str, Any]:
        numbers = {
            name: {"value": float(f"{v.value:.5g}"), "error": float(f"{v.error:.2g}"), "unit": v.unit}
            for name, v in self.values.items()
        }
        verdict: dict[str, Any] = {
            "reduced_chi2": float(f"{self.chisq:.4g}"),
            "misfit": float(f"{self.misfit:.3g}"),
        }
        if self.unevenness is not None:
            verdict["unevenness"] = {
                "pixels": float(f"{self.unevenness.pixels:.2g}"),
                "areas": [float(f"{area:.2g}") for area in self.unevenness.areas],
            }
        if self.other is not None:
            verdict["or"] = {"p2": round(self.other[0], 4), "director_deg": round(self.other[1], 2)}
        return {"fit": {"model": self.body, "parameters": numbers, **verdict, "verified": self.verified}}

    def rows(self) -> list[list[str]]:
        return [
            [f"fitted {self.body}", "value", "unit"],
            *([k, format_with_error(v.value, v.error), v.unit] for k, v in self.values.items()),
        ]

    def sentences(self) -> tuple[str, ...]:
        """Whether the fit holds, and why."""
        verdict = "Verified" if self.verified else "Not verified"
        ends = ""
        if self.at_limit:
            limited = ", ".join(self.at_limit)
            ends = f" {limited} is at the end of its range: a value beyond it, or another shape, is likely."
        elif not self.verified:
            ends = (
                " Neither cylinders nor ellipsoids around a director fit this image; something else"
                " scatters, too."
            )
        if self.other is not None:
            ends += f" ⟨P₂⟩ = {self.other[0]:.2f} about {self.other[1]:.0f}° fits as well."
        return (
            f"{verdict}: simulated again, the image has a Poisson deviance of {significant(self.chisq, 3)}"
            f" per degree of freedom over {self.cells.counts.size} cells, and is off by"
            f" {self.misfit:.1%} beyond counting.{ends}",
        )

    def notes(self) -> tuple[str, ...]:
        return ()

    def draw(self, axes: Axes) -> None:
        """Residuals by ring and sector, in standard deviations."""
        table = np.full(N_RINGS * N_SECTORS, np.nan)
        table[self.cells.where] = (self.cells.counts - self.expected) / np.sqrt(self.expected)
        ratio = table.reshape(N_RINGS, N_SECTORS)
        rows_shown = np.flatnonzero(np.isfinite(ratio).any(axis=1))
        artist = axes.imshow(
            ratio[rows_shown[0] : rows_shown[-1] + 1],
            origin="lower",
            aspect="auto",
            vmin=-5,
            vmax=5,
            cmap="RdBu_r",
        )
        axes.figure.colorbar(artist, ax=axes, label="standard deviations")
        axes.set(xlabel="sector of 10 degrees", ylabel="ring of q")

    def silence(self) -> OrientedFit:
        """A fit says the same in any case."""
        return self
