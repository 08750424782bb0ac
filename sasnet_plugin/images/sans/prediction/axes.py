"""Bodies with axes about a director held against an image's rings: which body, which order, along or across.

A network that has to say one number says the mean of two answers that an image leaves open. Here both are
fitted to what the rings show, and weigh as much as the rings and their ranges say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ..reading.polar import Polar
from ..simulation.form_factors import LN_Q, Q, compute_legendre, pars_of
from .sectors import LEAST_GAUSSIAN, STEP, Cells, cells_of, spread_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....arrays import Floats

#: By kind: name of the body, least and largest aspect, those that are screened.
KINDS = {
    "cylinder": ("cylinder", 1.5, 30.0, (2.0, 4.0, 8.0, 16.0)),
    "long": ("ellipsoid", 1.2, 10.0, (1.6, 2.5, 4.0, 7.0)),
    "flat": ("ellipsoid", 0.1, 0.8, (0.15, 0.25, 0.4, 0.6)),
}
#: Whether radii alone scatter, and whether axes lie as a Gaussian: what is fitted besides.
OTHERWISE = ((True, False), (False, True), (True, True))
#: Order parameters that are screened, and their range.
P2S, P2_RANGE = (-0.3, -0.15, 0.15, 0.3, 0.5, 0.7, 0.88), (-0.4, 0.93)
#: Radii, Å, and relative spreads of radii.
RADII, SPREADS = (6.0, 500.0), (0.02, 0.25)
#: Of screened radii, steps of `Q` from one to the next; steps of a fit; starts of each kind along a director,
#: and across it.
_APART, _STEPS, _STARTS = 4, 12, 2
#: Radius and spread of bodies that are screened.
_RADIUS, _SPREAD = 60.0, 0.12
#: Points of radii that scatter.
_POINTS = 9
#: A fall of χ² after which a fit ends; times the least χ² of all starts from which on none is fitted.
_ENOUGH, _FAR = 0.1, 4.0
#: Longest steps of a fit, and those of derivatives, of `Held.at`; radians that a director may be off the
#: harmonics' axis.
_LONGEST, _MOVES = np.array([0.3, 0.4, 0.08, 0.25, 0.1]), np.array([0.0, 0.03, 0.01, 0.01, 0.01])
_AROUND = 0.3


@dataclass(frozen=True)
class Held:
    """A body fitted to rings."""

    kind: str  #: Of `KINDS`.
    #: (5,), ln radius in Å, ln aspect, spread of radii, order parameter, director in radians from qx.
    at: Floats
    covariance: Floats  #: (5, 5)
    chisq: float  #: Of all values.
    #: The radius alone scatters, the length of a body is one; else sizes do, proportions kept.
    radius_alone: bool = False
    gaussian_axes: bool = False  #: Axes lie about their director as a Gaussian; else as by Maier and Saupe.

    @property
    def body(self) -> str:
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class Against:
    """Bodies that were held against an image."""

    held: tuple[Held, ...]
    evidence: Floats  #: (n,), log probability of what was seen by each, but for a constant.
    over: float  #: χ² of a cell that the best leaves over; 1 where errors explain it.


def amplitudes(cells: Cells, shape: Floats) -> Floats:
    """(3,) amplitudes of a body's (n, s) scattering, of flat and of slits' that fit best, none below 0."""
    from scipy.optimize import nnls

    matrix = (np.stack([shape, *cells.background_shapes]) / cells.error).reshape(3, -1).T
    size = np.sqrt((matrix**2).sum(axis=0))
    solution, _ = nnls(matrix / size, (cells.values / cells.error).ravel())
    return np.asarray(solution / size)


@cache
def _table(body: str, aspect: float) -> Floats:
    """(len(Q), 13) Legendre coefficients of a screened body."""
    return spread_over(Q, _SPREAD) @ _compute_monodisperse(body, _RADIUS, aspect, Q)


def screen_bodies(cells: Cells, axis: float) -> list[Held]:
    """Return the nearest of each kind with axes along a director and across it; `axis` of the harmonics,
    radians, is either.
    """
    first = int(round((np.log(cells.nodes[0]) - LN_Q[0]) / STEP))
    span = [int(np.log(radius / _RADIUS) / STEP) for radius in RADII]
    shifts = np.arange(span[0], span[1], _APART)
    place = np.clip(first + np.arange(cells.nodes.size) + shifts[:, None], 0, Q.size - 1)
    bodies: list[Held] = []
    for kind, (body, _, _, aspects) in KINDS.items():
        near: list[Held] = []
        for aspect in aspects:
            smeared = np.einsum("rn,snl->srl", cells.smear, _table(body, aspect)[place], optimize=True)
            for p2, director in product(P2S, (axis, axis + np.pi / 2)):
                chisq = _distance(cells, smeared @ cells.waves(p2, director))
                best = int(np.argmin(chisq))
                radius = np.log(_RADIUS) + STEP * shifts[best]
                position = np.array([radius, np.log(aspect), _SPREAD, p2, director])
                near.append(Held(kind, position, np.eye(5), float(chisq[best])))
        near.sort(key=lambda body_start: body_start.chisq)
        for across in (False, True):
            same_axis = [body_start for body_start in near if (body_start.at[3] < 0) == across]
            other_starts = [body_start for body_start in same_axis if body_start.at[1] != same_axis[0].at[1]]
            bodies += [same_axis[0], *other_starts[: _STARTS - 1]]
    bodies.sort(key=lambda body_start: body_start.chisq)
    return [body_start for body_start in bodies if body_start.chisq < _FAR * bodies[0].chisq]


def _distance(cells: Cells, shapes: Floats) -> Floats:
    """χ² of (k, n, s) shapes with a scale and a flat background, neither below 0."""
    weight = 1 / cells.error**2
    weighted = weight * shapes
    a, b, c = (weighted * shapes).sum(axis=(1, 2)), weighted.sum(axis=(1, 2)), weight.sum()
    d, e = (weighted * cells.values).sum(axis=(1, 2)), float((weight * cells.values).sum())
    det = np.maximum(a * c - b**2, 1e-12 * a * c)
    scale, flat = (d * c - b * e) / det, (a * e - b * d) / det
    gain_alone = np.maximum(d, 0) ** 2 / a
    gain = np.where((scale > 0) & (flat > 0), scale * d + flat * e, gain_alone)
    return np.asarray((weight * cells.values**2).sum() - gain)


def fit_body(cells: Cells, start: Held) -> Held:
    """A body fitted from a start by Gauss–Newton steps, amplitudes at their best."""
    low, high = _limits(start)
    best = replace(start, at=np.clip(start.at, low, high), chisq=np.inf)
    position, shrink, step = best.at, 1.0, np.zeros(5)
    for _ in range(_STEPS):
        residuals, jacobian = _linear(cells, start, position)
        chisq = float(residuals @ residuals)
        if chisq > best.chisq:
            shrink /= 4
            if shrink < 0.05:
                break
            position = np.clip(best.at + shrink * step, low, high)
            continue
        gained, shrink = best.chisq - chisq, 1.0
        # The ranges are the priors: along what the cells do not show, no step leaves them.
        matrix = jacobian.T @ jacobian + np.diag(12 / (high - low) ** 2)
        covariance = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        best = replace(best, at=position, covariance=covariance, chisq=chisq)
        if gained < _ENOUGH:
            break
        step = covariance @ (jacobian.T @ residuals)
        step /= max(1.0, float(np.max(np.abs(step) / _LONGEST)))
        position = np.clip(position + step, low, high)
    return best


def _limits(start: Held) -> tuple[Floats, Floats]:
    _, least, largest, _ = KINDS[start.kind]
    around = start.at[4] - _AROUND, start.at[4] + _AROUND
    spans = np.log(RADII), np.log((least, largest)), SPREADS, P2_RANGE, around
    low, high = zip(*spans, strict=True)
    return np.array(low), np.array(high)


def _linear(cells: Cells, body: Held, position: Floats) -> tuple[Floats, Floats]:
    """Residuals and (cells, 5) derivatives of what is expected, in errors, amplitudes eliminated."""
    spread, p2, director = (float(x) for x in position[2:])
    form = _form(cells, body, position)
    blurred = cells.smear if body.radius_alone else cells.smear @ spread_over(cells.nodes, spread)

    def waves_of(p2: float, director: float) -> Floats:
        return cells.waves(p2, director, gaussian_axes=body.gaussian_axes)

    waves = waves_of(p2, director)

    def project(form: Floats, waves: Floats) -> Floats:
        return np.asarray(blurred @ form @ waves / cells.error)

    base = project(form, waves)
    longer = _form(cells, body, position + np.array([0, _MOVES[1], 0, 0, 0]))
    moved = position + np.array([0, 0, _MOVES[2], 0, 0])
    if body.radius_alone:
        wider = cells.smear @ _form(cells, body, moved) @ waves / cells.error
    else:
        wider = cells.smear @ spread_over(cells.nodes, float(moved[2])) @ form @ waves / cells.error
    back = -1 if p2 + _MOVES[3] > P2_RANGE[1] else 1
    changed = [
        # A body s times as large scatters I(q s).
        project(np.gradient(form, np.log(cells.nodes), axis=0), waves),
        (project(longer, waves) - base) / _MOVES[1],
        (wider - base) / _MOVES[2],
        (project(form, waves_of(p2 + back * _MOVES[3], director)) - base) / (back * _MOVES[3]),
        (project(form, waves_of(p2, director + _MOVES[4])) - base) / _MOVES[4],
    ]
    scale, *rest = amplitudes(cells, base * np.where(np.isfinite(cells.error), cells.error, 0.0))
    background = (cells.background_shapes / cells.error).reshape(2, -1)
    residuals = (cells.values / cells.error - scale * base).ravel() - rest @ background
    used = [base.ravel(), *(column for column, size in zip(background, rest, strict=True) if size > 0)]
    basis = np.linalg.qr(np.stack(used, axis=1))[0]
    columns = scale * np.stack([change.ravel() for change in changed], axis=1)
    return residuals, np.asarray(columns - basis @ (basis.T @ columns))


def _form(cells: Cells, body: Held, position: Floats) -> Floats:
    """(k, 13) Legendre coefficients at the nodes, the first 1, of one size or of radii that scatter."""
    radius, aspect = float(np.exp(position[0])), float(np.exp(position[1]))
    if not body.radius_alone:
        return _compute_monodisperse(body.body, radius, aspect, cells.nodes)
    pars = pars_of(body.body, radius, aspect, float(position[2]))
    pars |= {key: _POINTS for key in pars if key.endswith("_pd_n")}
    legendre = compute_legendre(body.body, pars, cells.nodes)
    return np.asarray(legendre / legendre[0, 0])


def _compute_monodisperse(body: str, radius: float, aspect: float, q: Floats) -> Floats:
    """(k, 13) Legendre coefficients of bodies of one size, the first of them 1."""
    pars = {k: v for k, v in pars_of(body, radius, aspect, 0.0).items() if "_pd" not in k}
    legendre = compute_legendre(body, pars, q)
    return np.asarray(legendre / legendre[0, 0])


def evidence(bodies: Sequence[Held], over: float) -> Floats:
    """Log probability of the image by each fit, up to a constant: Laplace's integral over ranges, with equal
    priors. `over` is the best fit's excess misfit, allowed to all.
    """
    log_evidence = []
    for body in bodies:
        low, high = _limits(body)
        share = 1.0 if body.body == "cylinder" else 0.5
        volume = 0.5 * np.linalg.slogdet(2 * np.pi * over * body.covariance)[1] - np.log(high - low).sum()
        log_evidence.append(np.log(share) - 0.5 * body.chisq / over + volume)
    return np.array(log_evidence) - max(log_evidence)


def fit_bodies(image: Polar, axis: float) -> Against | None:
    """Fit bodies to an image with the axis of `anisotropy`, degrees; None if too little is visible."""
    cells = cells_of(image)
    if cells is None or not np.any(image.counts > 0):
        return None
    starts = screen_bodies(cells, float(np.radians(axis)))
    cells = cells.update_errors(compute_expected(cells, starts[0]))
    bodies = _apart([fit_body(cells, start) for start in starts])
    bodies += _otherwise(cells, bodies)
    over = max(1.0, min(start.chisq for start in bodies) / max(cells.number - 8, 1))
    likely = evidence(bodies, over)
    return Against(
        tuple(replace(start, covariance=over * start.covariance) for start in bodies), likely, over
    )


def _otherwise(cells: Cells, bodies: Sequence[Held]) -> list[Held]:
    """The best of some fits again, with other scatter of sizes and of axes."""
    best = min(body.chisq for body in bodies)
    refits = []
    for body, (radius_alone, gaussian_axes) in product(bodies, OTHERWISE):
        is_known = body.at[3] > LEAST_GAUSSIAN or not gaussian_axes
        if body.chisq < _FAR * best and is_known:
            variant = replace(body, radius_alone=radius_alone, gaussian_axes=gaussian_axes)
            refits.append(fit_body(cells, variant))
    return refits


def compute_expected(cells: Cells, body: Held) -> Floats:
    """(n, s) what a body scatters with the best amplitudes, and what scatters beside it."""
    form = spread_over(cells.nodes, float(body.at[2])) @ _form(cells, body, body.at)
    shape = cells.smear @ form @ cells.waves(float(body.at[3]), float(body.at[4]))
    return np.asarray(np.tensordot(amplitudes(cells, shape), np.stack([shape, *cells.background_shapes]), 1))


def _apart(bodies: Sequence[Held]) -> list[Held]:
    """Keep the best of fits that ended at the same place."""
    bodies_kept: list[Held] = []
    for body in sorted(bodies, key=lambda body: body.chisq):
        spread = np.sqrt(np.diag(body.covariance)) + 0.02
        if not any(k.kind == body.kind and np.all(np.abs(k.at - body.at) < 2 * spread) for k in bodies_kept):
            bodies_kept.append(body)
    return bodies_kept
