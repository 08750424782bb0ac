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
from ..simulation.factors import Factors, compute_scattering
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
    def compute(cls, current: State) -> Responses:
        """Calculate by differences, on fewer parts of a pixel than a pattern needs."""
        counts, across = current.counts, current.factors.across

        def coarse(inner: Floats, nodes: Nodes) -> tuple[Floats, Floats]:
            geometry = geometry_of(inner, counts.wavelength, counts.alpha_i)
            return compute_scattering(geometry, current.factors.window, across, nodes)

        responses = {}
        for names, nodes in _DIFFERENCES.items():
            base = coarse(current.inner, nodes)
            for name in names:
                moved = coarse(current.step_parameter(name), nodes)
                responses[name] = (_ratio(moved[0], base[0]), _ratio(moved[1], base[1]))
        return cls(current.inner, across, responses)

    def is_near(self, inner: Floats, across: int) -> bool:
        """A geometry is so near that they hold there as well."""
        moved = np.abs(inner - self.inner)
        return across == self.across and all(moved[INDEX[name]] < far for name, far in _NEAR.items())


def _ratio(moved: Floats, base: Floats) -> Floats:
    # In the minima of one size, where a spline may even fall below zero, nothing is seen anyway.
    ratio = np.ones_like(base)
    np.divide(moved, base, out=ratio, where=base > 0)
    return np.clip(ratio, 0.5, 2.0)


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
        straight = self._row_blur @ self.factors.half(self._column_blur)
        mirrored = self._row_blur @ self.factors.half(self._column_blur, mirrored=True)[N_HALF - 2 : 0 : -1]
        whole = self.counts.select_measured(np.concatenate((straight, mirrored)))
        return whole / self._norm

    @cached_property
    def backgrounds(self) -> Floats:
        """(2, n): flat and decaying, one count each in the window."""
        return np.stack([self.counts.select_measured(self._background(kind)) for kind in ("flat", "diffuse")])

    @cached_property
    def _norm(self) -> float:
        # Of no rotation in particular: the particles alone.
        return float(self.factors.every.mean() * self.counts.window.rows * self.counts.window.columns)

    def jacobian(self, weights: Floats, diffuse: float) -> Floats:
        """Derivative (parameters, n) of the expected counts on the fit's scale, at fixed weights: counts
        (120,) of each rotation, and `diffuse` ones of the decaying background.
        """
        factors, total = self.factors, float(weights.sum())
        mixed = factors.mix_sums(weights)
        base = factors.pattern(mixed, total)
        jacobian = np.zeros((len(PARAMETERS), self.counts.y.size))
        for name in _OF_LATTICE:
            # On the same parts of pixels, so that the difference is the parameter's.
            moved = factors.update(self._geometry(name), across=factors.across, weights=weights)
            jacobian[INDEX[name]] = self._count_pattern(moved.pattern(moved.mix_sums(weights), total) - base)
        spread = factors.replace_particles(self._geometry("position_spread"), factors.every, factors.mean)
        jacobian[INDEX["position_spread"]] = self._count_pattern(spread.pattern(mixed, total) - base)
        for name, (incoherent, mean) in self.responses.of.items():
            moved = factors.replace_particles(
                factors.geometry, factors.every * incoherent, factors.mean * mean
            )
            jacobian[INDEX[name]] = self._count_pattern(moved.pattern(mixed, total) - base)
        for name in _OF_DETECTOR:
            up, across = self._blurs(self.step_parameter(name))
            jacobian[INDEX[name]] += self.counts.select_measured(
                up @ base @ across.T
            ) / self._norm - self._count_pattern(base)
        for name in ("diffuse_alpha", "diffuse_phi"):
            changed = self._background("diffuse", self.step_parameter(name)) - self._background("diffuse")
            jacobian[INDEX[name]] = diffuse * self.counts.select_measured(changed)
        return np.asarray(jacobian / _STEPS)

    def _count_pattern(self, clean: Floats) -> Floats:
        return self.counts.select_measured(self._row_blur @ clean @ self._column_blur.T) / self._norm

    @cached_property
    def _row_blur(self) -> Floats:
        return self._blurs(self.inner)[0]

    @cached_property
    def _column_blur(self) -> Floats:
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

    def step_parameter(self, name: str) -> Floats:
        inner = self.inner.copy()
        inner[INDEX[name]] += PARAMETERS[INDEX[name]].step
        return inner

    def _geometry(self, name: str) -> Geometry:
        return geometry_of(self.step_parameter(name), self.counts.wavelength, self.counts.alpha_i)

    @cached_property
    def responses(self) -> Responses:
        """What steps do to the particles' scattering; taken over while little has moved."""
        responses = self.before
        if responses is not None and responses.is_near(self.inner, self.factors.across):
            return responses
        return Responses.compute(self)

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


def state(counts: Counts, inner: Floats, previous: State | None = None, nodes: Nodes | None = None) -> State:
    """The model at a geometry; what an earlier one had and did not change is kept."""
    nodes = nodes or Nodes()
    geometry = geometry_of(inner, counts.wavelength, counts.alpha_i)
    window = counts.window.add_margin(MARGIN)
    if previous is None:
        return State(inner, counts, Factors.compute(geometry, window, nodes, counts.offset))
    earlier = previous.__dict__.get("responses", previous.before)
    return State(inner, counts, previous.factors.update(geometry, nodes=nodes), earlier)
