"""What is said of small-angle-scattering images, their directions, shapes, and the next setting.

Samples that may explain what was measured are drawn from the prior of training and weighted by how alike
the network finds their images and the measured ones, in the same settings (approximate Bayesian computation
with the network's outputs as summaries: Fearnhead & Prangle, J. R. Stat. Soc. B 74 (2012) 419). Each is
then measured in every setting that the user lists, and the network reads the old and the new image as a
set: the gain is the fall of the entropy of the classes, in bits, on average.

A network that has to say one number says the mean of two answers that an image leaves open. Here both are
fitted to what the rings show, and weigh as much as the rings and their ranges say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...data.advice import GEOMETRY
from ...digits import NORMAL_90, format_with_error
from ...domains import DEFAULT, Finding, Seen
from ...predict.arithmetic import softmax
from ...predict.classes import ClassesFinding, percent
from ...predict.findings import Answer, DistributionFinding, QuantitiesFinding, Value
from ...predict.predictor import open_predictor
from ...types import Curve, DataError, Image, ModelZooError
from .nexus import Setting, settings_of_texts
from .reading import make_detector_geometry
from .rings import (
    FRAMES,
    N_SECTORS,
    ONE_SIDED,
    RINGS,
    Anisotropy,
    Polar,
    Settings,
    anisotropy,
    average_around_beam,
    images_of,
    one_sided,
    polar,
)
from .simulation import (
    DEGREES,
    LN_Q,
    Beam,
    CellBeam,
    Posture,
    Q,
    compute_legendre,
    count_in_cells,
    draw_background,
    draw_posture,
    draw_sample,
    expand_in_harmonics,
    gather_in_cells,
    gaussian,
    maier_saupe,
    pars_of,
    resize,
    row_of,
    strength_of,
)
from .spheres import FEWEST_COUNTS, Spheres, fit_spheres

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# --- Which setting of the instrument to measure next: the information that an image there is
# --- expected to give.


@dataclass(frozen=True)
class AdviceSettings:
    """How much is simulated."""

    #: Samples that are computed; uses of each in another size; those that are measured in each setting.
    samples: int = 80
    uses: int = 8
    kept: int = 120
    #: Least effective number of samples that the weights leave.
    effective: float = 40.0


ADVICE = AdviceSettings()


@dataclass(frozen=True)
class Advice:
    """What a setting is expected to tell."""

    name: str  #: As the user wrote it; empty for counting on.
    bits: float  #: Expected gain of information on the class.
    counts: float  #: That as long a measurement gives there as all so far took.


def advise(measurements: Sequence[Any], setting_names: Sequence[str], predictor: Any) -> list[str]:
    """Rank the settings a user lists, in sentences."""
    # The first measurement is what is there so far; the last could be counted on.
    # Settings are "name=value,name=value" of `SansSettings`, else as before. Raises DataError if a setting is
    # unknown or wrong, or the classifier reads no more settings.
    ranked_advice = advice(images_of(measurements[0]), setting_names, predictor, np.random.default_rng(0))
    ranked = sorted(ranked_advice, key=lambda one_advice: -one_advice.bits)
    return [
        f"{one_advice.name or 'counting on'}: {one_advice.bits:.2f} bits of information expected."
        f" An equally long measurement gives {one_advice.counts:,.0f} counts."
        for one_advice in ranked
    ]


def advice(
    images: Sequence[Image], setting_names: Sequence[str], predictor: Any, rng: np.random.Generator
) -> list[Advice]:
    """Return the expected gain of counting on, and of each listed setting, for the last counting time;
    arguments as for `advise`.
    """
    if len(images) >= FRAMES:
        raise DataError(
            f"{images[-1].file}: {len(images)} settings are more than the network can combine; give at"
            f" most {FRAMES - 1} of them."
        )
    settings = [_setting_of(image) for image in images]
    image, current_setting, beams = images[-1], settings[-1], [_beam_of(image) for image in images]
    other_settings = [(name, *_other(image, current_setting, name)) for name in setting_names]
    polars = tuple(polar(one_image) for one_image in images)
    entropy_before = float(entropy(classes(predictor, [Settings(polars)])).mean())
    postures = _alike(polars, beams, predictor, rng)
    current_beam, counts, ranked_advice = beams[-1], float(polars[-1].counts.sum()), []
    for name, beam, flux in [("", current_beam, 1.0), *other_settings]:
        again = [
            _count_posture(posture, beam, rng, _total(posture, current_beam, beam, flux) * counts)
            for posture in postures
        ]
        sets = [
            Settings((*polars, one_image) if name else (*polars[:-1], _sum(polars[-1], one_image)))
            for one_image in again
        ]
        after = entropy(classes(predictor, sets))
        expected = float(np.median([one_image.counts.sum() for one_image in again]))
        ranked_advice.append(Advice(name, entropy_before - float(after.mean()), expected))
    return ranked_advice


def _alike(
    polars: tuple[Polar, ...], beams: Sequence[CellBeam], predictor: Any, rng: np.random.Generator
) -> list[Posture]:
    """Samples that look to the network as the measured one does, drawn by how much they do."""
    pool = [row_of(draw_sample(rng)) for _ in range(ADVICE.samples)]
    postures = [draw_posture(resize(row, rng), rng) for row in pool for _ in range(ADVICE.uses)]
    counts = [float(posture.counts.sum()) for posture in polars]
    measured = [
        Settings(
            tuple(
                _count_posture(posture, beam, rng, total) for beam, total in zip(beams, counts, strict=True)
            )
        )
        for posture in postures
    ]
    weight = weights(summaries(predictor, [Settings(polars)]), summaries(predictor, measured))
    return [postures[k] for k in rng.choice(len(postures), ADVICE.kept, p=weight)]


def _setting_of(image: Image) -> Setting:
    if image.geometry.setting is None:
        raise DataError(
            f"{image.file}: its collimation and apertures are not known, so no other setting can be"
            f" simulated; give them {GEOMETRY}."
        )
    return image.geometry.setting


def _beam_of(image: Image) -> CellBeam:
    return gather_in_cells(
        Beam(image.geometry, image.geometry, image.mask, float(image.geometry.q[image.mask].min()))
    )


def weights(measured: Floats, simulated: Floats) -> Floats:
    """Weights of simulated samples by the distance of their summaries, (n,), which add up to 1."""
    # The width of the kernel is the least that leaves `AdviceSettings.effective` samples.
    scale = simulated.std(axis=0) + 1e-9
    distance = (((simulated - measured) / scale) ** 2).sum(axis=1)
    for width in np.geomspace(0.05, 100, 60):
        weight = np.exp(-(distance - distance.min()) / (2 * width**2))
        weight /= weight.sum()
        if 1 / np.sum(weight**2) >= min(ADVICE.effective, 0.5 * len(weight)):
            break
    return np.asarray(weight)


def summaries(predictor: Any, measurements: Sequence[Settings]) -> Floats:
    """What the network says of measurements: ln p of the classes, (n, labels)."""
    outputs = predictor.outputs(predictor.features(measurements))
    # Below this a class is ruled out, and how far does not matter.
    return np.log(np.maximum(softmax(np.asarray(outputs["class"], dtype=np.float64)), 1e-4))


def classes(predictor: Any, measurements: Sequence[Settings]) -> Floats:
    """Calibrated probabilities of the classes, (n, labels)."""
    outputs = predictor.outputs(predictor.features(measurements))
    return softmax(np.asarray(outputs["class"]) / predictor.manifest.calibration["class"]["temperature"])


def entropy(p: Floats) -> Floats:
    """Bits, (n,)."""
    return np.asarray(-np.sum(p * np.log2(np.maximum(p, 1e-12)), axis=1))


def _count_posture(posture: Posture, beam: CellBeam, rng: np.random.Generator, counts: float) -> Polar:
    return count_in_cells(
        posture.intensity(beam.geometry, fine=True), beam, draw_background(rng), rng, counts
    )


def _total(posture: Posture, current_beam: CellBeam, next_beam: CellBeam, flux: float) -> float:
    """Counts of a sample there over those here in the same time."""
    total = [
        float((posture.intensity(b.geometry, fine=True) * b.geometry.weight).sum())
        for b in (current_beam, next_beam)
    ]
    return float(np.clip(flux * total[1] / max(total[0], 1e-300), 1e-4, 1e4))


def _sum(first: Polar, second: Polar) -> Polar:
    return replace(first, counts=first.counts + second.counts, exposure=first.exposure + second.exposure)


def _other(image: Image, current_setting: Setting, name: str) -> tuple[CellBeam, float]:
    """The image's detector in another setting, and what its pixels see there of the flux over here."""
    # A guide's flux goes as λ⁻⁴ L1⁻², a pixel's solid angle as L2⁻².
    settings_given = settings_of_texts(name.split(","), "--next")
    keys = ("wavelength", "spread", "collimation", "distance", "source_radius", "sample_radius")
    given_values = {
        key: getattr(settings_given, key) for key in keys if getattr(settings_given, key) is not None
    }
    if not given_values and settings_given.direct_beam is None:
        raise DataError(f"{name}: is not a setting; give, for example, distance=2000,collimation=2800.")
    setting = replace(current_setting, **given_values)
    rows, columns = image.geometry.shape
    place = [
        float(np.interp(0.0, q, np.arange(q.size)))
        for q in (image.geometry.qx.mean(axis=0), image.geometry.qy.mean(axis=1))
    ]
    centre = settings_given.direct_beam or (place[0], place[1])
    geometry = make_detector_geometry((rows, columns), centre, setting)
    radius = float(image.geometry.q[image.mask].min()) * current_setting.distance / current_setting.k
    block = radius * setting.k / setting.distance
    mask = geometry.q > block
    flux = (current_setting.wavelength / setting.wavelength) ** 4 * (
        current_setting.collimation / setting.collimation
    ) ** 2
    flux *= (current_setting.distance / setting.distance) ** 2 * (setting.spread / current_setting.spread)
    return gather_in_cells(Beam(geometry, geometry, mask, block)), flux


# --- An image's rings in sectors, as bodies with axes are held against them, and what these scatter
# --- there.

#: Relative error of a cell beyond counting: detectors count so unevenly.
FLOOR = 0.03
#: Rings that are taken together.
_TOGETHER = 2
#: Of nodes, in ln q; order from which on axes may lie as a Gaussian.
STEP, LEAST_GAUSSIAN = float(LN_Q[1] - LN_Q[0]), 0.05
#: Where a file does not say how sharp q is: a selector's spread, and a share of the least q by pixels.
_SELECTOR, _PIXELS = 0.05, 0.3
#: What a sector leaves of cos mψ.
_BLUNTED = np.sinc(DEGREES / N_SECTORS)


@dataclass(frozen=True)
class Cells:
    """What rings show in sectors, those at q and −q together."""

    q: Floats  #: (n,), of each ring, Å⁻¹.
    #: values, error: (n, s), intensity of any scale; the error is infinite where nothing was seen.
    values: Floats
    exposure: Floats  #: (n, s), counts over `values`.
    error: Floats
    angle: Floats  #: (s,), of each sector's middle, radians from qx.
    nodes: Floats  #: (k,), where form factors are asked for, Å⁻¹, a step of `LN_Q` apart.
    smear: Floats  #: (n, k), from nodes to rings.

    def update_errors(self, rate: Floats) -> Cells:
        """These with the errors of counts about what is expected, (n, s)."""
        variance = np.full_like(rate, np.inf)
        np.divide(rate, self.exposure, out=variance, where=(self.exposure > 0) & (rate > 0))
        return replace(self, error=np.sqrt(variance + (FLOOR * rate) ** 2))

    @property
    def background_shapes(self) -> Floats:
        """(2, n, s) what scatters beside bodies: flat, and slits as q⁻³."""
        shapes = np.ones((2, *self.values.shape))
        shapes[1] = ((self.q / self.q[0]) ** -3.0)[:, None]
        return shapes

    @property
    def number(self) -> int:
        return int(np.isfinite(self.error).sum())

    def waves(self, p2: float, director: float, *, gaussian_axes: bool = False) -> Floats:
        """(13, s) from Legendre coefficients to sectors, of an order parameter and a director, radians."""
        around = np.cos(np.outer(DEGREES, self.angle - director)) * _BLUNTED[:, None]
        averages = _gaussian(p2) if gaussian_axes and p2 > LEAST_GAUSSIAN else _averages(p2)
        return np.asarray(averages[:, None] * (expand_in_harmonics() @ around))


def cells_of(image: Polar) -> Cells | None:
    """The cells of an image; None where fewer than sixteen rings were seen."""
    from scipy.ndimage import uniform_filter

    rings_seen = np.flatnonzero(image.exposure.sum(axis=1) > 0)
    if rings_seen.size < 8 * _TOGETHER:
        return None
    groups = np.array_split(rings_seen, rings_seen.size // _TOGETHER)

    def total(values: Floats) -> Floats:
        opposite_sums = values[:, : N_SECTORS // 2] + values[:, N_SECTORS // 2 :]
        return np.array([opposite_sums[group].sum(axis=0) for group in groups])

    counts, exposure = total(image.counts), total(image.exposure / image.scale[:, None])
    weight = image.exposure.sum(axis=1)
    q = np.exp([np.average(np.log(RINGS[g]), weights=weight[g]) for g in groups])
    blurred = np.where(np.isfinite(image.along), image.along, np.hypot(_SELECTOR * RINGS, _PIXELS * q[0]))
    along = np.array([np.average(blurred[g], weights=weight[g]) for g in groups])
    # At first the variance of counts is that of what neighbouring cells count.
    near = [uniform_filter(values_here, 3, mode=("nearest", "wrap")) for values_here in (counts, exposure)]
    rate = np.divide(near[0] + 1 / 9, near[1], out=np.zeros_like(counts), where=near[1] > 0)
    values = np.divide(counts, exposure, out=np.zeros_like(counts), where=exposure > 0)
    angle = np.asarray((np.arange(N_SECTORS // 2) + 0.5) * (2 * np.pi / N_SECTORS), dtype=np.float64)
    cells = Cells(q, values, exposure, rate, angle, *_smearing(q, along))
    return cells.update_errors(rate)


def _smearing(q: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Nodes, and Gaussian weights of them for each ring; a ring is as wide as `_TOGETHER` of them."""
    width = np.hypot(along, _TOGETHER * float(np.log(RINGS[1] / RINGS[0])) * q / np.sqrt(12))
    low, high = np.log(max(q[0] / 2.0, Q[0])), np.log(q[-1] + 3 * width[-1])
    first = int((low - LN_Q[0]) / STEP)
    nodes = Q[first : int((high - LN_Q[0]) / STEP) + 2]
    weight = np.exp(-0.5 * ((nodes - q[:, None]) / np.maximum(width, 0.7 * STEP * q)[:, None]) ** 2) * nodes
    return nodes, weight / weight.sum(axis=1, keepdims=True)


@lru_cache(maxsize=64)
def _averages(p2: float) -> Floats:
    return maier_saupe(strength_of(p2))


def _gaussian(p2: float) -> Floats:
    """⟨P_l⟩ of a Gaussian of an order parameter."""
    table = _gaussians()
    return np.array([np.interp(p2, table[::-1, 1], column[::-1]) for column in table.T])


@cache
def _gaussians() -> Floats:
    return np.array([gaussian(width) for width in np.geomspace(7.0, 75.0, 80)])


def spread_over(nodes: Floats, spread: float) -> Floats:
    """Return the matrix (k, k) from one size to log-normal sizes of equal proportions; a body s times as
    large scatters s⁶ I(q s).
    """
    apart = np.log(nodes) - np.log(nodes)[:, None]
    weight = np.exp(-0.5 * (apart / max(spread, 0.4 * STEP)) ** 2 + 6 * apart)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


# --- Bodies with axes about a director held against an image's rings: which body, which order,
# --- along or across.

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
    """Return the nearest of each kind with axes along a director and across it; `axis`, rad, is either."""
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


# --- What bodies that were held against an image say beside the network: which, how large, how they
# --- lie.

#: No body and no way of axes is less likely by the network than this: of what it has not learned it is sure.
LEAST = 0.03
#: Probability from which on another director is said, too.
NAMED = 0.05
#: Least standard deviation of P₂: with it bands of 90 % hold 92 % of 229 images by other code, 88 to 94 % of
#: each of three seeds; without, about 60 %. Where the best body leaves more over than errors say (detectors
#: that count unevenly, bodies that keep apart), times the root of what it leaves of a cell.
P2_LEAST = 0.016


@dataclass(frozen=True)
class Bodies:
    """Fits of bodies and their probabilities, that of the network included."""

    held: tuple[Held, ...]
    probability: Floats  #: (n,), sums to 1.
    over: float = 1.0  #: As of `axes.Against`.

    def shares(self) -> dict[str, float]:
        shares: dict[str, float] = {}
        for held_body, share in zip(self.held, self.probability, strict=True):
            shares[held_body.body] = shares.get(held_body.body, 0.0) + float(share)
        return shares

    def directors(self) -> Floats:
        """(n,) degrees."""
        return np.degrees([held_body.at[4] for held_body in self.held])

    def values(self, body: str) -> dict[str, Value]:
        """Radius in Å, aspect and spread of the radius of a body, over all of its fits."""
        of_body = np.array([item.body == body for item in self.held])
        ln_radius, ln_aspect, spread = (self._mean(k, of_body) for k in range(3))
        values = {
            name: Value(*_convert_from_logarithm(*item), unit)
            for name, item, unit in (("radius", ln_radius, "Å"), ("aspect", ln_aspect, ""))
        }
        value, error = spread
        low = max(value - NORMAL_90 * error, 0.0)
        return values | {"radius_pd": Value(value, error, low, value + NORMAL_90 * error, "")}

    def orientation(self) -> tuple[Value, Value, tuple[float, float] | None]:
        """Order parameter, director in degrees, and both of the other way that is as well possible."""
        directors = self.directors()
        best = directors[int(np.argmax(self.probability))]
        along = np.abs((directors - best + 90) % 180 - 90) < 45
        if float(self.probability[along].sum()) < 0.5:
            along = ~along
        p2, error = self._mean(3, along)
        error = float(np.hypot(error, P2_LEAST * np.sqrt(self.over)))
        low, high = max(p2 - NORMAL_90 * error, -0.5), min(p2 + NORMAL_90 * error, 1.0)
        other_orientation = None
        if float(self.probability[~along].sum()) > NAMED:
            other_orientation = self._mean(3, ~along)[0], self._director(~along).value
        return Value(p2, error, low, high, ""), self._director(along), other_orientation

    def _director(self, selection: NDArray[np.bool_]) -> Value:
        weight = np.where(selection, self.probability, 0.0)
        turns = np.exp(2j * np.radians(self.directors()))
        value = float(np.degrees(np.angle(np.sum(weight * turns))) / 2) % 180
        variance = np.array([held_body.covariance[4, 4] for held_body in self.held])
        apart = np.radians((self.directors() - value + 90) % 180 - 90)
        error = float(np.degrees(np.sqrt(np.sum(weight * (variance + apart**2)) / weight.sum())))
        return Value(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error, "degrees")

    def _mean(self, index: int, selection: NDArray[np.bool_]) -> tuple[float, float]:
        """Mean and standard deviation of a value of `Held.at` over some fits, their own errors included."""
        weight = np.where(selection, self.probability, 0.0)
        weight = weight / weight.sum()
        positions = np.array([held_body.at[index] for held_body in self.held])
        variance = np.array([held_body.covariance[index, index] for held_body in self.held])
        mean = float(weight @ positions)
        return mean, float(np.sqrt(weight @ (variance + (positions - mean) ** 2)))


def _convert_from_logarithm(mean: float, error: float) -> tuple[float, float, float, float]:
    value = float(np.exp(mean))
    ends = np.exp([mean - NORMAL_90 * error, mean + NORMAL_90 * error])
    return value, value * error, float(ends[0]), float(ends[1])


def combine_with_network(against: Against, classes: ClassesFinding, angles: DistributionFinding) -> Bodies:
    """Combine the image's cells with the classifier's body and axes (`angles`, in the detector plane)."""
    of_class = dict(zip(classes.head.labels, classes.probability.tolist(), strict=True))
    log_evidence = np.array(against.evidence, dtype=np.float64)
    for number, body in enumerate(against.held):
        axis = np.degrees(body.at[4]) + (0.0 if body.at[3] > 0 else 90.0)
        near = np.abs((angles.grid - axis + 90) % 180 - 90) < 45
        lying = float(np.clip(angles.p[near].sum() / angles.p.sum(), LEAST, 1 - LEAST))
        log_evidence[number] += np.log(max(of_class.get(body.body, 0.0), LEAST)) + np.log(lying)
    likely = np.exp(log_evidence - log_evidence.max())
    return Bodies(against.held, likely / likely.sum(), against.over)


def share_classes(bodies: Bodies, classes: ClassesFinding) -> ClassesFinding:
    """The classes, with what the network gives both bodies shared as they are."""
    probability, labels = np.array(classes.probability, dtype=np.float64), classes.head.labels
    shares: Mapping[str, float] = {"cylinder": 0.0, "ellipsoid": 0.0} | bodies.shares()
    rows = [labels.index(name) for name in shares]
    total = probability[rows].sum()
    for row, share in zip(rows, shares.values(), strict=True):
        probability[row] = total * share
    return replace(classes, probability=probability)


def replace_sizes(bodies: Bodies, body: str, quantities: QuantitiesFinding) -> QuantitiesFinding:
    """The quantities, with those of the body that was named."""
    body_values = bodies.values(body)
    return replace(
        quantities, values={name: body_values.get(name, value) for name, value in quantities.values.items()}
    )


# --- Small-angle-scattering images: their direction or, where there is none, models of the averaged
# --- curve.

#: Why an image has no answer whose sides differ.
NOT_THROUGH = (
    "this is not an image in transmission (perhaps grazing incidence), or its centre is wrong; no shape"
    " is given."
)
#: Only a lattice that is as sure as this may scatter to one side.
SURELY_LATTICE = 0.9
#: χ² of a cell from which on no order is said: of simulated images with all faults of instruments, 10⁶ counts
#: and a body that is right it is below 12; sasdata's magnetic spheres have 170.
UNEXPLAINED = 25.0
NO_BODY = (
    "Neither cylinders nor ellipsoids around a director scatter like this image. So no order parameter"
    " is given, and the direction is that of the pattern."
)
#: Before what is said of a sphere: with a faint or very thin shell both shapes scatter alike.
SIMPLER = (
    "The simpler sphere is not excluded ({share}). Prefer it unless the sample is known to have a shell."
)
#: Before what is said of models of the average.
AVERAGE = "Its azimuthal average, among models of curves"
#: Said of spheres whose size is fitted, and besides where no file says how sharp q is.
FITTED_SPHERES = "The radius and its spread are from a fit of spheres to the azimuthal average."
NOT_SHARP = "Their errors cover q with and without a smearing of 5 %, because the file gives no resolution."
#: Said of an image whose minima are deeper than its resolution allows.
SHARPER = "The image is sharper than the resolution that its file gives; this resolution was not used."
#: Pixels within the network's range of q below which an image is not assessed.
LEAST_PIXELS = 200


def check(measurement: Any, inputs: Mapping[str, Any]) -> Seen:
    """Check that an image covers the manifest's ``q_range``, Å⁻¹; else DataError."""
    low, high = inputs["q_range"]
    notes = list(measurement.notes)
    images = images_of(measurement)
    for image in images:
        if not isinstance(image, Image):
            continue
        inside = image.mask & (image.geometry.q >= low) & (image.geometry.q <= high)
        if np.count_nonzero(inside) < LEAST_PIXELS:
            raise DataError(
                f"{image.file or 'the image'}: only {np.count_nonzero(inside)} pixels lie between q ="
                f" {low:g} and {high:g} Å⁻¹; check wavelength, distance and pixel size."
            )
    if len(images) > inputs["frames"]:
        notes.append(f"Of {len(images)} settings the first {inputs['frames']} were used.")
    return Seen(measurement, tuple(notes))


@dataclass(frozen=True)
class OrientationFinding(Finding):
    """How the axes of particles are distributed; rotational symmetry about the director is assumed."""

    angles: DistributionFinding  #: What is seen of the axes within the plane of the detector.
    p2: Value | None
    director: Value  #: Degrees anticlockwise from qx.
    #: How the picture lies in which that is seen, `SmallAngle.picture`.
    picture: str = "qx to the right and qy up"
    #: Order parameter and director, degrees, that explain the image about as well.
    other: tuple[float, float] | None = None
    no_body: bool = False  #: No body explains the image, `NO_BODY`.

    @property
    def head(self) -> Any:
        return self.angles.head

    def as_dict(self) -> dict[str, Any]:
        description: dict[str, Any] = {"p2": _plain(self.p2), "director_deg": _plain(self.director)}
        description["xi_deg"] = [round(float(x), 4) for x in self.angles.grid]
        for key in ("p", "p_low", "p_high"):
            description[key] = [float(f"{x:.4g}") for x in getattr(self.angles, key)]
        if self.other is not None:
            description["or"] = {"p2": round(self.other[0], 3), "director_deg": round(self.other[1], 2)}
        description["angles"] = f"anticlockwise from the right, {self.picture}"
        return {"orientation": description}

    def rows(self) -> Sequence[Sequence[str]]:
        named_values = [("p2", self.p2), ("director", self.director)]
        if self.other is None:
            also = dict.fromkeys(("p2", "director"), "")
        else:
            also = {"p2": f" or {self.other[0]:.2f}", "director": f" or {self.other[1]:.1f}"}
        return [
            ["orientation", "value", "unit"],
            *(
                [name, format_with_error(v.value, v.error) + also[name], v.unit]
                for name, v in named_values
                if v
            ),
        ]

    def sentences(self) -> Sequence[str]:
        """What is assumed, and how angles are counted."""
        counted = f"counted anticlockwise from the right, {self.picture}."
        if self.p2 is None:
            return [f"The angle of the direction is {counted}"]
        texts = [
            "Particle axes are assumed to be distributed symmetrically around a director in the"
            " detector plane.",
            f"Its angle is {counted}",
        ]
        if self.other is not None:
            texts.append(
                "The direction is known only up to a rotation by 90°: an angle of"
                f" {self.other[1]:.0f}° with ⟨P₂⟩ = {self.other[0]:.2f} is possible as well;"
                " --verify fits both."
            )
        return texts

    def draw(self, axes: Axes) -> None:
        """The distribution, and the director as a line; broken, the one that looks alike."""
        self.angles.draw(axes)
        axes.axvline(self.director.value, color="C3", linewidth=1)
        if self.other is not None:
            axes.axvline(self.other[1], color="C3", linewidth=1, linestyle="--")

    def silence(self) -> OrientationFinding:
        """Any orientation may be."""
        return replace(self, angles=self.angles.silence(), p2=None, other=None)


def complete_answer(measurement: Any, answer: Answer) -> Answer:
    """The answer with what the image itself says: its direction, or that it has none and is a curve."""
    # An image without a direction is averaged, and the network for curves names the models of the curve.
    images = images_of(measurement)
    polars = [image if not isinstance(image, Image) else polar(image) for image in images]
    around = anisotropy(polars)
    classes = answer.finding(ClassesFinding)
    lattice = classes is not None and classes.classes[0].name == "bragg_glass"
    sure = classes is not None and classes.classes[0].probability >= SURELY_LATTICE
    sides = max(map(one_sided, polars))
    if sides > ONE_SIDED and not (lattice and sure):
        return _one_sided(answer, sides)
    findings = _drop_orientation(answer.findings)
    notes = list(answer.notes)
    angles = answer.finding(DistributionFinding)
    if around.has_direction and angles is not None and not lattice:
        findings, notes_added = _describe_direction(images, polars, findings, angles, around)
        notes += notes_added
    elif not around.has_direction and answer.known:
        spheres = _fit_averages(images, polars)
        models, notes_added = _models(images)
        findings += models
        notes += notes_added
        if spheres is not None and classes is not None and classes.classes[0].name == "sphere":
            values = spheres.values()
            findings = [
                replace(item, values={**item.values, **values})
                if isinstance(item, QuantitiesFinding)
                else item
                for item in findings
            ]
            notes += [FITTED_SPHERES] if spheres.is_known else [FITTED_SPHERES, NOT_SHARP]
    caution = _find_simpler(answer, classes)
    notes += [caution] if caution else []
    return replace(answer, findings=tuple(findings), notes=tuple(notes), caution=caution)


def _fit_averages(images: Sequence[Any], polars: Sequence[Polar]) -> Spheres | None:
    """Spheres fitted to the averages of a sample's images; None where too little is seen, or none fit."""
    counted = [
        image
        for image, seen in zip(images, polars, strict=True)
        if isinstance(image, Image) and seen.counts.sum() > FEWEST_COUNTS
    ]
    if not counted or len(counted) < len(images):
        return None
    try:
        spheres = fit_spheres([average_around_beam(image) for image in counted])
    except DataError:
        return None
    return spheres if spheres is not None and spheres.over < UNEXPLAINED else None


def _average_as_sharp(image: Image) -> Curve:
    """The azimuthal average, without a resolution that its minima exclude, which a note says."""
    curve = average_around_beam(image)
    spheres = None if curve.dq is None else fit_spheres([curve])
    if spheres is None or not spheres.is_sharper:
        return curve
    return replace(curve, dq=None, notes=(*curve.notes, SHARPER))


def _find_simpler(answer: Answer, classes: ClassesFinding | None) -> str:
    """The caution that a sphere may do where core and shell lead; else empty."""
    if not answer.known or classes is None or classes.classes[0].name != "core_shell_sphere":
        return ""
    share = next((item.probability for item in classes.classes if item.name == "sphere"), 0.0)
    return SIMPLER.format(share=percent(share)) if share >= NAMED else ""


def _one_sided(answer: Answer, sides: float) -> Answer:
    """No answer where the beam's centre is wrong, or half of the image shows something else."""
    notes = [note for note in answer.notes if note != answer.scope.outside]
    text = f"Scattering at q and at −q differs by {sides:.0%}: {NOT_THROUGH}"
    silent = tuple(
        finding.silence() for finding in answer.findings if not isinstance(finding, DistributionFinding)
    )
    return replace(answer, in_scope=0.0, known=False, findings=silent, notes=(*notes, text))


def _describe_direction(
    images: Sequence[Any],
    polars: Sequence[Polar],
    findings_kept: Sequence[Any],
    angles: DistributionFinding,
    around: Anisotropy,
) -> tuple[list[Any], list[str]]:
    """What is said of an image with a direction: which body, how large and how it lies, by its rings, too."""
    most = max(range(len(images)), key=lambda item: float(polars[item].counts.sum()))
    bodies_fitted = fit_bodies(polars[most], around.axis)
    classes = next((item for item in findings_kept if isinstance(item, ClassesFinding)), None)
    picture = images[most].geometry.picture if isinstance(images[most], Image) else OrientationFinding.picture
    if bodies_fitted is None or classes is None or bodies_fitted.over > UNEXPLAINED:
        no_body = bodies_fitted is not None
        orientation = OrientationFinding(angles, None, director(angles, around), picture, no_body=no_body)
        return [*findings_kept, orientation], [NO_BODY] * no_body
    bodies = combine_with_network(bodies_fitted, classes, angles)
    shared_classes = share_classes(bodies, classes)
    best = shared_classes.head.labels[int(np.argmax(shared_classes.probability))]
    changed = [shared_classes if item is classes else item for item in findings_kept]
    if best in bodies.shares():
        changed = [
            replace_sizes(bodies, best, item) if isinstance(item, QuantitiesFinding) else item
            for item in changed
        ]
    p2, axis, other_orientation = bodies.orientation()
    return [*changed, OrientationFinding(angles, p2, axis, picture, other_orientation)], []


def _drop_orientation(findings: Sequence[Any]) -> list[Any]:
    findings_kept: list[Any] = []
    for finding in findings:
        if isinstance(finding, QuantitiesFinding):
            finding = replace(finding, values={name: v for name, v in finding.values.items() if name != "p2"})
        if not isinstance(finding, DistributionFinding):
            findings_kept.append(finding)
    return findings_kept


def director(angles: DistributionFinding, around: Anisotropy) -> Value:
    """Direction along which axes are seen, where no body could be held against the image."""
    # The image's second harmonics tell it precisely up to a quarter turn; the network, which one it is.
    mean = np.sum(angles.p * np.exp(2j * np.radians(angles.grid)))
    rough = float(np.degrees(np.angle(mean)) / 2)
    best = around.axis + 90 * round((rough - around.axis) / 90)
    value, error = best % 180, around.axis_error
    return Value(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error, "degrees")


def as_curve(measurement: Any) -> Curve | None:
    """Average an isotropic image; None if it has a direction. Raises DataError if too few pixels count."""
    image = most_counted(images_of(measurement))
    if image is None or anisotropy([polar(image)]).has_direction:
        return None
    note = "The image is isotropic; its azimuthal average is fitted."
    return _average_as_sharp(replace(image, notes=(*image.notes, note)))


def most_counted(images: Sequence[Any]) -> Image | None:
    """The image with the most counts, or of reduced ones with as many as have its errors."""
    readable = [image for image in images if isinstance(image, Image)]
    if len(readable) == 1:
        return readable[0]
    return max(readable, key=lambda latest: float(polar(latest).counts.sum()), default=None)


def _models(images: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """What the network for curves says of the average of the image with the most counts."""
    image = most_counted(images)
    if image is None:
        return [], []
    try:
        curve = _average_as_sharp(replace(image, notes=()))
        (curve_answer,) = open_predictor(DEFAULT).answers([curve])
    except (DataError, ModelZooError) as error:
        return [], [f"Its averaged curve has no answer: {error}"]
    sharper = [SHARPER] if SHARPER in curve.notes else []
    curve_classes = curve_answer.finding(ClassesFinding)
    text = "The image is isotropic; models of its azimuthal average are listed, too."
    if not curve_answer.known:
        return [], [*sharper, "Its averaged curve is unlike the training data of the network for curves."]
    return [replace(curve_classes, introduction=AVERAGE)] if curve_classes else [], [*sharper, text]


def _plain(value: Value | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {"value": float(f"{value.value:.4g}"), "error": float(f"{value.error:.2g}")}
