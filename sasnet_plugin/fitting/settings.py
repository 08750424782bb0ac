"""Every number that decides something in a fit: its value, unit and why; docs' tables are made from it.

One frozen dataclass of constants for each room, with one instance in capitals; that of `strategy` is in that
room. A number that two rooms need stands here once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
#: A value for each cost class of a model: fast, medium and slow.
ByCost = Mapping[str, T]


def setting(value: Any, why: str, unit: str = "") -> Any:
    """A field with its default, unit and reason, as `dataclasses.fields` gives them back in ``metadata``."""
    metadata = {"unit": unit, "why": why}
    if isinstance(value, Mapping):  # which a dataclass takes from a factory alone
        return field(default_factory=lambda: value, metadata=metadata)
    return field(default=value, metadata=metadata)


def map_by_cost(fast: T, medium: T, slow: T) -> ByCost[T]:
    """One value for each cost class of a model."""
    return {"fast": fast, "medium": medium, "slow": slow}


@dataclass(frozen=True)
class EffortSettings:
    """Of `costs` and `ledger`: what an evaluation of a model counts, measured on one core at 3 GHz."""

    each: float = setting(5e-4, "Python's part of an evaluation: resolution, parameters, a step.", "s")
    node: float = setting(4e-8, "A point of q, or of quadrature over orientations.", "s")
    averaged: float = setting(
        2.5e-8, "A profile or interpolation where sizes are averaged before orientations.", "s"
    )
    most_nodes: float = setting(1e5, "Points of quadrature of two integrals, at most.")
    own: float = setting(3.0, "sasmodels' own quadrature takes so many times the quick one's.")
    look: float = setting(0.03, "Comparison of a curve with the library curves of a model.", "s")
    look_factor: float = setting(
        4.0, "With a structure factor or a second component it takes so many times that."
    )
    lanes: int = setting(2, "Budgets are shared out as if so many processes worked in parallel.")
    planned: float = setting(
        0.7, "Of the time left is planned for; the rest is for what takes longer than it should.", "share"
    )
    of_limit: float = setting(
        0.3,
        (
            "Of the time limit, what all evaluations may take with these, and of that again screening; the"
            " rest is for slower or busy machines: one process, or two next to two busy ones, still finish."
        ),
        "share",
    )
    reported: float = setting(
        40.0, "What Bumps may take for a fit that is reported: some three curves for each parameter.", "s"
    )
    behind: float = setting(
        8.0, "A task may take so many times its budget of the processor's time; then that clock leads."
    )
    loading: float = setting(
        1.0, "And so much besides: a model's module is loaded, a kernel is made, which counts nothing.", "s"
    )
    first: float = setting(
        60.0,
        (
            "On the wall, beyond the time limit, until something is fitted at all: next to busy processes"
            " imports, screening and the fast models take ten times their own time."
        ),
        "s",
    )

    @property
    def reserve(self) -> float:
        """Of a budget: a clock that leads by no more decides nothing."""
        return 1 - self.planned

    @property
    def ahead(self) -> int:
        """A task knows what came of those before it, but for so many: two of each process."""
        return 2 * self.lanes


@dataclass(frozen=True)
class ProblemSettings:
    """Of `problem`: what is fitted, and at how many points a model is calculated."""

    temperature: float = setting(298.15, "Of a sample whose charge is fitted, where nothing states it.", "K")
    no_value: float = setting(
        1e6, "Residual where a model has no value, or no sample is; finite, so that a fit turns back."
    )
    rounding: float = setting(
        1e-9,
        "By this share of the largest value a calculated intensity may fall below 0, or χ² rise in the last"
        " step of bumps: sums are rounded.",
        "share",
    )
    step: float = setting(1e-4, "Step of a derivative, relative to the parameter, or to 1 where it is 0.")
    alike: float = setting(
        1e-3,
        "A relative difference below it is none: of the χ² of two minima, of a value from the end of its"
        " range, of a slope from a combination of others (not fitted then). All q are usually off by it, so"
        " no length is known better.",
    )
    size_reach: float = setting(
        30.0, "Fitted sizes stay within this factor of their start; a range as long is log-uniform."
    )
    sld_reach: float = setting(15.0, "Fitted contrasts stay within this of their start.", "10⁻⁶ Å⁻²")
    most_exponent: float = setting(
        6.0, "Largest exponent of a power of q, or of a peak's flank: no sample's I falls faster."
    )
    least_power: float = setting(
        1.0,
        "Smallest exponent of a power law of q, that of thin rods: a smaller one is part of the background,"
        " which it may cancel.",
    )
    most_width: float = setting(0.7, "Largest width of a size distribution, relative to the size.")
    sparse: int = setting(
        80,
        "Points a decade of q tried first where the measured ones are too few, or behind a supposed slit. The"
        " coarse copy of a curve has no more in all.",
    )
    fine: int = setting(
        200, "Points a decade of q tried next; four times as many are enough, but for peaks of fast models."
    )
    tolerance: float = setting(
        2e-3,
        "Mean squared change of a residual that more points of q, more points of a distribution, or"
        " sasmodels' own curve may make.",
    )
    wide_resolution: float = setting(
        0.1,
        "dq/q from which on the far tail of a resolution matters on a steep curve. So wide is the direct beam"
        " over the least q, as the beamstop hides it, and so wide may a resolution be at any q.",
        "share",
    )
    window: float = setting(
        0.3, "About a point, in which I is averaged and the slope of the curve is taken.", "ln q"
    )
    fewest_points: int = setting(
        8, "Points, or bins, below which residuals say nothing; and steps, of chains."
    )
    along_slit: int = setting(7, "Points of q along half a slit.")
    even_weights: float = setting(3.0, "Times the middle uncertainty of its cell is added to each point's.")
    matter: Mapping[str, tuple[float, float]] = setting(
        {"neutron": (-1.0, 10.0), "xray": (-1.0, 130.0)},
        "Scattering length densities that matter has.",
        "10⁻⁶ Å⁻²",
    )
    first_width: float = setting(0.12, "Width that size distributions start with, relative to the size.")
    width_points: ByCost[int] = setting(
        map_by_cost(35, 21, 15), "Most points of a size distribution, over 7.5 widths."
    )
    few_width_points: tuple[int, ...] = setting(
        (7, 11, 15, 21, 35, 61), "Tried, as two times 35 make 1225 curves."
    )
    one_width_points: ByCost[int] = setting(
        map_by_cost(101, 61, 15),
        "Most points where one size has a distribution: broad ones of large particles.",
    )
    plugin_curves: int = setting(60, "Curves computed of a user's model, to start from.")
    thinnest: float = setting(
        1.0,
        "Less than any layer of matter: an atom. No model of these is meant for q above its inverse.",
        "Å",
    )

    @property
    def coarse_width_points(self) -> ByCost[int]:
        """The same on the coarse copy: half of them, an odd number, so that one is the mean."""
        return {cost: points // 2 | 1 for cost, points in self.width_points.items()}

    @property
    def finest(self) -> int:
        """Points a decade of q taken for enough."""
        return 4 * self.fine

    @property
    def finest_by_cost(self) -> ByCost[int]:
        """The same by a model's cost: peaks of fast ones may be narrower than the resolution."""
        return map_by_cost(4 * self.finest, 2 * self.fine, self.fine)


@dataclass(frozen=True)
class StartSettings:
    """Of `start_values`: the bank's nearest curves."""

    bins: int = setting(
        48, "Bins of ln q in which the library's curves are compared with the data, and a peak is looked for."
    )
    tolerance: float = setting(0.07, "Of I, added to the uncertainty: the library is coarse.")
    distinct: float = setting(
        0.3,
        "Two starts, or minima, differ by so much at least in ln of their sizes; a maximum that may repeat"
        " stands out by so much in ln I.",
    )
    looked_at: int = setting(400, "Nearest curves looked at for each start that is wanted.")
    starts: int = setting(
        8, "Starts of a candidate; half of them are followed further, and half of these on all points."
    )
    second_powers: tuple[float, ...] = setting(
        (-2.0, -1.0, -0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5),
        "Exponents tried of a power law as a second component, negative ones of a background that rises; the"
        " positive ones also in simple sums.",
    )
    simple_tolerance: float = setting(
        0.03, "Of I, added to the uncertainty where simple sums are compared: their grid is fine.", "share"
    )
    simple_lengths: int = setting(24, "Lengths of a simple term that are tried, even in ln.")
    simple_reaches: tuple[float, ...] = setting(
        (0.3, 0.08), "By so much in ln the nearest row of a grid is moved, one after the other."
    )
    simple_exponents: tuple[float, ...] = setting((1.7, 2.0, 3.0, 4.0), "Exponents of particles' own tails.")
    simple_widths: tuple[float, ...] = setting((0.0, 0.1, 0.25), "Widths of sizes of spheres among them.")
    simple_sharpness: tuple[float, ...] = setting(
        (1.2, 2.0, 3.5, 6.0, 12.0, 25.0), "Places of a peak over its half width."
    )
    simple_near: float = setting(
        2.0, "Residual of a simple sum over the least of all, up to which it is fitted, too."
    )
    simple_margin: float = setting(0.5, "And by so much more, as the grid misses something itself.")
    simple_far: float = setting(
        6.0, "Residual from which on no simple sum is meant: fringes, or other shapes."
    )
    near_fits: int = setting(
        3,
        "So many of the best fits have neighbours, of a probable group's simplest models are fitted, and of"
        " the open models without comparing the library for all of them. So many maxima give a distance. If"
        " more shapes fit equally well, none is chosen.",
    )
    layers: tuple[float, ...] = setting(
        (0.14, 0.6), "Thickness of a layer in a plain particle: thin, or most of it.", "of its half size"
    )
    layer_contrasts: tuple[float, ...] = setting(
        (0.5, 1.5), "Its contrast: between particle and solvent, or beyond.", "of the body's"
    )

    @property
    def second_curves(self) -> int:
        """Sizes tried of another second component: half as many, as its first component has some, too."""
        return self.simple_lengths // 2

    @property
    def semifinalists(self) -> int:
        """So many starts or sums are followed further, come from a line, or have a repeat distance."""
        return self.starts // 2

    @property
    def finalists(self) -> int:
        """So many go on to all points; so many fits and likely models get a second component or artefact."""
        return self.semifinalists // 2


@dataclass(frozen=True)
class OptimizeSettings:
    """Of `optimize`: local refinement, the search beside a minimum, bumps' fitters."""

    damping: float = setting(1e-3, "Levenberg-Marquardt's first damping, over the squared slopes.")
    damping_step: float = setting(
        5.0, "Factor by which it falls after a good step and rises after a bad one."
    )
    trusted: float = setting(0.25, "Of the fall that slopes promise: below, they are calculated anew.")
    longest_step: float = setting(2.0, "Longest step, in ln size or the units of what is no size.")
    longest: float = setting(60.0, "Longest size times least q: a longer one has no effect but costs time.")
    count_ratios: tuple[float, ...] = setting(
        (0.5, 0.7, 0.9, 1.1, 1.4, 2.0),
        "By which whole numbers are changed, besides one up and down; on a line up to the last.",
    )
    largest_count: int = setting(
        1000, "No whole number is changed to more: no window tells it from this, and pearls cost time each."
    )
    line_step: float = setting(0.01, "First step along a line of sizes, in ln size.")
    line_growth: float = setting(1.25, "Each step over the last: far off, fringes are seen from farther.")
    line_steps: int = setting(12, "So many of them on either side.")
    narrower: tuple[float, ...] = setting((1.0, 3.0, 10.0), "By so much narrower there than it is.")
    rough_tolerance: float = setting(
        0.1,
        "Of I, at most, added to the uncertainty where a start may be far off: from the library, on lines,"
        " and behind a slit.",
    )
    scatter: float = setting(0.7, "Standard deviation of ln size in a start at random.")
    agreeing: int = setting(
        5, "So many restarts that end elsewhere one in the lowest minimum stands for: most lead there."
    )
    steps: int = setting(40, "Steps to the end of a fit.")
    enough: float = setting(
        1e-4, "Relative fall of χ² at which a refinement ends; bumps' 1e-10 follows flat minima on."
    )
    least_share: float = setting(0.1, "Of a task's time, what each part of it has at least.", "share")
    strong: float = setting(0.95, "Correlation from which on a pair of parameters is ill-conditioned.")
    kept_draws: int = setting(1_000_000, "Draws that bumps keeps in memory; of more, every second, third…")

    @property
    def few_steps(self) -> int:
        """Steps on a coarse copy, behind a supposed slit, or with a length that is moved."""
        return self.steps // 4


@dataclass(frozen=True)
class AssessmentSettings:
    """Of `assessment`: what explains a curve, what is distinguishable, what a user is warned of."""

    well_known: float = setting(0.05, "Relative uncertainty of values whose correlation is no concern.")
    significant: float = setting(
        3.0,
        "A difference beyond it is no chance: of χ² from its expectation, of runs of residuals, of a negative"
        " background, and squared, of the χ² of two models where more data would decide.",
        "standard deviations",
    )
    margin: float = setting(0.2, "A reduced χ² within 1 ± this explains a curve, however many its points.")
    hopeless: float = setting(
        30.0,
        "Reduced χ² that no usual mis-statement of uncertainties excuses; over the best's, what a"
        " resolution may, and up to which a fit is listed.",
    )
    too_small: float = setting(
        2.0,
        "Noise squared, over the given, above which a systematic error excuses no fit. Uncertainties seem too"
        " large where reduced χ² is below its inverse.",
    )
    parts: int = setting(5, "Parts of a curve that are looked at for noise.")
    replicates: int = setting(
        64, 'Bootstrap replicates: enough to say "nearly all"; a few hundredths of 1 s.'
    )
    gap: float = setting(
        0.3, "In probability: a measurement stands out by so much if at most one replicate is as unlike."
    )
    negligible: float = setting(
        0.01,
        "A hundredth counts nothing: a length or a contrast against the others, what a mean misses of a bent"
        " curve, a variance, χ² against 1, I against its top. A misfit of so much of I is calibration: it is"
        " the mean of the exponential prior of an error that neighbours share.",
    )
    same_contrast: float = setting(0.3, "Of the range of contrasts: an error above it makes none of two one.")
    unsure: float = setting(
        0.1, "Relative uncertainty of a size that the curve's shape does not show, or of no concern below."
    )
    other_lengths: tuple[float, ...] = setting(
        (0.7, 1.4, 2.0, 4.0), "Times a length beyond the data: where one is as good, its error is no error."
    )
    flat_far: float = setting(60.0, "Standard deviations within which χ² is looked for to rise by four.")
    flat_rise: float = setting(1.1, "Times what a parabola has: a rise of √χ² by no more is one of no other.")
    held_width: float = setting(
        0.2,
        "Usual width of a size distribution that a fit without one may overlook, relative to the size. A"
        " second population starts with one below it.",
    )
    resolution_off: tuple[float, float] = setting(
        (0.03, 0.05),
        "What the centre and the width of a resolution function are usually off by, over its width: cells of"
        " the detector, the shape that is taken for a Gaussian.",
    )
    resolution_points: float = setting(
        3.0, "A resolution that no file states is at most about so many times as wide as points are apart."
    )
    slit_lengths: tuple[float, ...] = setting(
        (0.05, 0.15, 0.4, 1.0), "Half lengths of slits that are tried, over the largest q."
    )
    parasitic_reach: tuple[float, ...] = setting(
        (1.2, 1.5, 2.0, 2.5, 3.2, 4.0), "Times the least q, up to which parasitic scattering may reach."
    )
    broad: float = setting(0.5, "Width beyond which a size distribution is no longer one.")
    in_combination: float = setting(
        0.3, "Share of a parameter in a combination that the data leave open, to be named with it."
    )
    rises: float = setting(0.1, "A point is above the background if it rises by this share of it.")
    few: float = setting(
        0.2,
        "Of the points: with no more above its background a curve is mostly background, no more are parasitic"
        " or the end of a curve.",
        "share",
    )
    decades: tuple[float, float] = setting(
        (0.5, 1.0), "Where else data might decide: below the measured q, and above.", "decades"
    )
    interval: float = setting(0.1, "Width of the intervals of q in which fits are compared.", "decades")
    points_an_interval: int = setting(4, "Points at which curves are computed in each of them.")
    small_systematic: float = setting(
        0.05, "Of I: an error this large many measurements have; a simple model that needs no more is named."
    )
    much_worse: float = setting(
        4.0,
        "Mean squared residual over another's, twice the residuals: from there on no shared error puts a fit"
        " first, its neighbours are not fitted, and a part of a curve is noisy.",
    )
    worse: float = setting(
        1.5,
        "The same over that of a fit with hardly more parameters, so that simplicity is no reason for it: of"
        " 100 points three standard deviations.",
    )
    fewer_parameters: int = setting(2, "Such a model has so many parameters less than the best.")
    most_described: float = setting(
        0.06, "Of I: a model that misses more than a few per cent does not describe the curve.", "share"
    )
    most_systematic: float = setting(
        0.1,
        "Of I: what shares more than this is no error of a measurement, and the models are wrong.",
        "share",
    )
    likely: float = setting(
        0.5,
        "Chance of what a fit has become or was found with, of a resolution that is not stated, and of a"
        " power law with a network, coils or another smooth term. From there on an expensive model is among"
        " the first, and the network is believed. Steps are taken at once whose worth is this of the first's"
        " at least: it may be the last.",
    )
    seldom: float = setting(
        0.1,
        "Chance of what is seldom: a second component, a model that the library comes nearest with, another"
        " size distribution or one of a shell alone, minimum or points of q. A group with less gets no models"
        " of its own. If so many uncertainties were replaced, that is reported.",
    )
    most_background: float = setting(
        0.3, "Of I, where it is most: a background that changes along q by more is a component.", "share"
    )


@dataclass(frozen=True)
class EvidenceSettings:
    """Of `evidence`: priors of parameters and of what a measurement is off by."""

    lengths: tuple[float, ...] = setting((0.1, 0.3, 1.0), "Correlation lengths that it may have.", "ln q")
    background_quantile: float = setting(0.1, "Of the intensities, what a background is about as large as.")
    cell: float = setting(0.02, "Within it points share all of it.", "ln q")
    least_size: float = setting(0.1, "Smallest size that differs from none, over the noise.")
    size_step: float = setting(0.6, "Between two sizes that are tried, in ln of it.")
    least_noise: float = setting(
        1e-3, "Of an uncertainty that was estimated, as little may be noise: text has five digits."
    )
    least_mode: float = setting(1e-5, "Of the largest mode of a process: smaller ones are ignored.", "share")
    decades: float = setting(1e4, "Sizes and scales: the largest over the least, log-uniform.")
    bare_mention: float = setting(
        2.0,
        '2 ln of a ratio of evidence below which it is "not worth more than a bare mention" (Kass &'
        " Raftery 1995).",
    )
    strong: float = setting(6.0, 'The same from which on it is "strong": less distinguishes no two fits.')
    least_prior: float = setting(1e-6, "Of a model before its fit: none is ruled out.")

    @property
    def weight_to_name(self) -> float:
        """A fit with so much is named, for any χ²: odds of 20 to 1 are strong evidence."""
        return math.exp(-self.strong / 2)


EFFORT = EffortSettings()
PROBLEM, START_VALUES = ProblemSettings(), StartSettings()
OPTIMIZE, ASSESSMENT, EVIDENCE = OptimizeSettings(), AssessmentSettings(), EvidenceSettings()
