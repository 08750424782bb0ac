"""What a window counts: the basis, blurred and masked, backgrounds, and how both change with the geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ....arrays import Floats
from ...simulation.detector import MARGIN, background, blur_matrix
from ...simulation.measurement import Measurement
from ..simulation.basis import Nodes
from ..simulation.columns import columns_of
from ..simulation.factors import Factors, scattered
from ..simulation.geometry import N_HALF, Geometry
from .counts import Counts
from .parameters import INDEX, PARAMETERS, geometry_of, values

#: Where BornAgain is asked for patterns of which a tenth is forgiven.
ROUGH = Nodes(apart=2)
#: Differences are smooth: those with the particles' sizes along each pixel, those with the film and the
#: incidence across. On finer parts of a pixel the film's fringes lead a descent into the next local minimum.
_DIFFERENCES = {
    ("radius", "radius_pd"): Nodes(low=2, high=1, apart=2),
    ("oxide", "shift_alpha"): Nodes(low=4, high=2, apart=4),
}
#: How far each may move until the differences are taken anew, on the fit's scale.
_NEAR = {"radius": 0.6, "radius_pd": 6e-4, "oxide": 8.0, "shift_alpha": 1e-3}
_STEPS = np.array([parameter.step for parameter in PARAMETERS])[:, None]
_OF_LATTICE = ("lattice", "width")
_OF_DETECTOR = ("shift_alpha", "shift_phi", "sigma_phi", "sigma_alpha")


@dataclass(frozen=True)
class Responses:
    """Factors by which the particles' scattering changes with a step of each parameter."""

    inner: Floats
    across: int  #: Parts of a pixel.
    #: dict of str to (array, array), by parameter: of ⟨|F|²⟩ and of |⟨F⟩|², (rows, columns · across).
    of: dict[str, tuple[Floats, Floats]]

    @classmethod
    def at(cls, now: State) -> Responses:
        """Calculate by differences, on fewer parts of a pixel than a pattern needs."""
        counts, across = now.counts, now.factors.across

        def coarse(inner: Floats, nodes: Nodes) -> tuple[Floats, Floats]:
            geometry = geometry_of(inner, counts.wavelength, counts.alpha_i)
            return scattered(geometry, now.factors.window, across, nodes)

        found = {}
        for names, nodes in _DIFFERENCES.items():
            base = coarse(now.inner, nodes)
            for name in names:
                moved = coarse(now.with_step(name), nodes)
                found[name] = (_ratio(moved[0], base[0]), _ratio(moved[1], base[1]))
        return cls(now.inner, across, found)

    def near(self, inner: Floats, across: int) -> bool:
        """A geometry is so near that they hold there as well."""
        moved = np.abs(inner - self.inner)
        return across == self.across and all(moved[INDEX[name]] < far for name, far in _NEAR.items())


def _ratio(moved: Floats, base: Floats) -> Floats:
    # In the minima of one size, where a spline may even fall below zero, nothing is seen anyway.
    found = np.ones_like(base)
    np.divide(moved, base, out=found, where=base > 0)
    return np.clip(found, 0.5, 2.0)


@dataclass(frozen=True)
class State:
    """The model at one geometry."""

    inner: Floats
    counts: Counts
    factors: Factors
    before: Responses | None = None  #: Of a geometry that may be near.

    @cached_property
    def patterns(self) -> Floats:
        """(120, n): what the pixels count of each rotation; a window of particles alone counts one."""
        straight = self._up @ self.factors.half(self._across)
        other = self._up @ self.factors.half(self._across, mirrored=True)[N_HALF - 2 : 0 : -1]
        whole = self.counts.seen(np.concatenate((straight, other)))
        return whole / self._norm

    @cached_property
    def backgrounds(self) -> Floats:
        """(2, n): flat and decaying, one count each in the window."""
        return np.stack([self.counts.seen(self._background(kind)) for kind in ("flat", "diffuse")])

    @cached_property
    def _norm(self) -> float:
        # Of no rotation in particular: the particles alone.
        return float(self.factors.every.mean() * self.counts.window.rows * self.counts.window.columns)

    def jacobian(self, weights: Floats, diffuse: float) -> Floats:
        """Derivative (parameters, n) of the expected counts on the fit's scale, at fixed weights: counts
        (120,) of each rotation, and `diffuse` ones of the decaying background.
        """
        factors, total = self.factors, float(weights.sum())
        mixed = factors.mixed(weights)
        base = factors.pattern(mixed, total)
        found = np.zeros((len(PARAMETERS), self.counts.y.size))
        for name in _OF_LATTICE:
            # On the same parts of pixels, so that the difference is the parameter's.
            moved = factors.moved(self._geometry(name), across=factors.across, weights=weights)
            found[INDEX[name]] = self._counted(moved.pattern(moved.mixed(weights), total) - base)
        spread = factors.with_particles(self._geometry("position_spread"), factors.every, factors.mean)
        found[INDEX["position_spread"]] = self._counted(spread.pattern(mixed, total) - base)
        for name, (every, mean) in self.responses.of.items():
            moved = factors.with_particles(factors.geometry, factors.every * every, factors.mean * mean)
            found[INDEX[name]] = self._counted(moved.pattern(mixed, total) - base)
        for name in _OF_DETECTOR:
            up, across = self._blurs(self.with_step(name))
            found[INDEX[name]] += self.counts.seen(up @ base @ across.T) / self._norm - self._counted(base)
        for name in ("diffuse_alpha", "diffuse_phi"):
            changed = self._background("diffuse", self.with_step(name)) - self._background("diffuse")
            found[INDEX[name]] = diffuse * self.counts.seen(changed)
        return np.asarray(found / _STEPS)

    def _counted(self, clean: Floats) -> Floats:
        return self.counts.seen(self._up @ clean @ self._across.T) / self._norm

    @cached_property
    def _up(self) -> Floats:
        return self._blurs(self.inner)[0]

    @cached_property
    def _across(self) -> Floats:
        return self._blurs(self.inner)[1]

    def _blurs(self, inner: Floats) -> tuple[Floats, Floats]:
        """Return blur matrices of rows, (rows, rows + margin), and of pixel parts to columns."""
        value, window, factors = values(inner), self.counts.window, self.factors
        height, width = window.pixel
        rows, columns = window.rows + MARGIN, window.columns + 2 * MARGIN
        up = blur_matrix(window.rows, rows, 0, value["sigma_alpha"], value["shift_alpha"], height)
        blur = value["sigma_phi"], value["shift_phi"]
        if factors.offset:
            across = columns_of(factors.window, factors.across, factors.offset, *blur)[MARGIN:-MARGIN]
        else:
            # An image on the window of the simulation, whose blur spreads counts evenly over a pixel.
            pixels = blur_matrix(window.columns, columns, MARGIN, *blur, width)
            across = np.repeat(pixels, factors.across, axis=1) / factors.across
        return up, across

    def with_step(self, name: str) -> Floats:
        inner = self.inner.copy()
        inner[INDEX[name]] += PARAMETERS[INDEX[name]].step
        return inner

    def _geometry(self, name: str) -> Geometry:
        return geometry_of(self.with_step(name), self.counts.wavelength, self.counts.alpha_i)

    @cached_property
    def responses(self) -> Responses:
        """What steps do to the particles' scattering; taken over while little has moved."""
        before = self.before
        if before is not None and before.near(self.inner, self.factors.across):
            return before
        return Responses.at(self)

    def _background(self, kind: str, inner: Floats | None = None) -> Floats:
        value = values(self.inner if inner is None else inner)
        measurement = Measurement(
            sigma_phi=0.0,
            sigma_alpha=0.0,
            shift_phi=0.0,
            shift_alpha=0.0,
            flat=float(kind == "flat"),
            diffuse=float(kind == "diffuse"),
            diffuse_alpha=value["diffuse_alpha"],
            diffuse_phi=value["diffuse_phi"],
            counts=1.0,
        )
        return background(self.counts.window, measurement)


@dataclass(frozen=True)
class Refined:
    """Where the refinement ended."""

    state: State
    weights: Floats  #: (120,), counts of each rotation.
    backgrounds: Floats
    expected: Floats  #: (n,), counts of each pixel.
    loss: float  #: Half the deviance and half the prior's χ².
    #: Thickness of the film in Å, and loss, at which descents from several films ended; one of them this.
    films: tuple[tuple[float, float], ...] = ()


def state(counts: Counts, inner: Floats, before: State | None = None, nodes: Nodes | None = None) -> State:
    """The model at a geometry; what an earlier one had and did not change is kept."""
    nodes = nodes or Nodes()
    geometry = geometry_of(inner, counts.wavelength, counts.alpha_i)
    window = counts.window.with_margin(MARGIN)
    if before is None:
        return State(inner, counts, Factors.of(geometry, window, nodes, counts.offset))
    known = before.__dict__.get("responses", before.before)
    return State(inner, counts, before.factors.moved(geometry, nodes=nodes), known)
