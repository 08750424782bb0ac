"""Every number that decides what is fitted, in which order, with how much time, and when a search ends."""

from __future__ import annotations

from dataclasses import dataclass

from sasnet_plugin.fitting.settings import ASSESSMENT, PROBLEM, ByCost, by_cost, setting


@dataclass(frozen=True)
class Pass:
    """How a set of starts is refined.

    Parameters
    ----------
    share : float
        Of the candidate's time; what is begun by then is finished.
    tolerances : tuple of float
        Relative errors added to the data's own, one after the other.
    steps : int
        Steps with each.
    """

    share: float
    tolerances: tuple[float, ...]
    steps: int


@dataclass(frozen=True)
class StrategySettings:
    """Of `strategy`: what is fitted, in which order, with how much time, and when a search ends.

    Probabilities are the network's, times evaluations as `effort` counts them, χ² reduced where it is
    compared with a number.
    """

    price: float = setting(
        0.08, "Worth of a second: a step that is expected to gain less is not taken.", "1/s"
    )
    alike: float = setting(
        0.5, "Steps are taken at once whose worth is this of the first's at least: it may be the last."
    )
    most_boost: float = setting(10.0, "What an explanation gains where nothing explains the curve, at most.")
    doubtful_boost: float = setting(2.0, "The same where a fit explains it, though χ² is rather large.")
    explained_boost: float = setting(1.0, "The same where a fit leaves nothing but noise.")
    chance_gain: float = setting(1.0, "ln likelihood that another model may gain on a fit that leaves noise.")
    noise_scatter: float = setting(
        1.4, "Two standard deviations of what second differences say of the noise, over √n, in ln likelihood."
    )
    least_prior: float = setting(0.003, "Probability of a model of which the network thinks less.")
    simple_prior: float = setting(0.02, "The same of the bodies that experts try first.")
    product_prior: float = setting(0.02, "The same of a structure factor that brings the bank nearer.")
    second_prior: float = setting(0.1, "How often a curve holds a second component.")
    near: float = setting(0.05, "Added to weighted residuals of the bank before they are compared.")
    unrated: int = setting(3, "So many open models are fitted without asking the bank about all of them.")
    nested: float = setting(0.5, "Chance of what a fit has become, or has been found with.")
    some_salt: float = setting(0.005, "Salt that is tried beside charged bodies.", "mol/l")
    kinds: float = setting(0.05, "Chance of another kind of size distribution.")
    hop: float = setting(0.15, "Chance of a search for other minima beside the best fit.")
    promising_resolution: float = setting(
        0.5,
        "A supposed resolution that leaves more of χ² is no better place to look for other minima.",
        "share",
    )
    hop_again: float = setting(0.6, "Chance of another attempt as a share of that of the last one.")
    measured: float = setting(0.2, "Chance that data were calculated at the measured points.")
    unknown_resolution: float = setting(
        0.5, "Chance that a resolution that is not stated is what is missing."
    )
    rivals: float = setting(0.2, "Chance of a sum that looks much like the best one.")
    expected_time: ByCost[float] = setting(by_cost(0.35, 1.5, 3.0), "What a fit is expected to take.", "s")
    time: ByCost[float] = setting(by_cost(4.0, 8.0, 12.0), "What it has at most.", "s")
    assured_time: float = setting(
        4.0, "What the simplest models of the likely groups have together, however short the time.", "s"
    )
    from_start: float = setting(0.2, "Of the expected time, what a fit from a given start takes.", "share")
    second_component: float = setting(
        ASSESSMENT.second_component, "Fall of BIC that a second component has to bring."
    )
    group_share: float = setting(0.1, "Of a group this probable the simplest models are fitted too.")
    simplest: int = setting(3, "So many of them.")
    none_left: float = setting(
        0.6,
        "No structure factor's part of what the likeliest leaves; each other has a third of the rest.",
    )
    least_factor: float = setting(0.02, "Least probability of a structure factor in the ranking.")
    simplified: int = setting(4, "So many of the best fits are looked at for having become a simpler model.")
    brief: float = setting(
        2.0, "Time of a fit that is there to be compared with one that explains the curve.", "s"
    )
    expected: float = setting(0.3, "An expensive model this probable is among the first.")
    likely: float = setting(0.2, "An expensive model this probable has its time, whatever others explain.")
    second_ending: float = setting(5.0, "Another start is fitted to its end if its χ² is above by less.")
    lm_starts: ByCost[int] = setting(by_cost(2, 1, 1), "Starts from which Levenberg-Marquardt begins.")
    lm_share: float = setting(0.2, "Of a candidate's time, what Levenberg-Marquardt has at least.", "share")
    followed: ByCost[int] = setting(by_cost(5, 4, 3), "Starts that are followed further on the coarse copy.")
    finalists: ByCost[int] = setting(by_cost(3, 2, 2), "Starts that go on to all points.")
    first_sampling: ByCost[int] = setting(
        by_cost(PROBLEM.fine, 50, 40), "Points a decade of q in the first steps."
    )
    sampling: ByCost[int] = setting(by_cost(PROBLEM.fine, 100, 80), "Points a decade of q after these.")
    finest: ByCost[int] = setting(
        by_cost(PROBLEM.sharpest, 2 * PROBLEM.fine, PROBLEM.fine),
        "Points a decade of q that are taken for enough.",
    )
    limits: tuple[float, float] = setting(
        (100.0, 20.0),
        "A candidate whose χ² is larger than the best so far by these factors, after the first and the last"
        " steps on the coarse copy, is not followed any further.",
    )
    limits_explained: tuple[float, float] = setting(
        (15.0, 1.3), "The same for an expensive model where another explains the curve."
    )
    limits_nearly: tuple[float, float] = setting((15.0, 2.5), "And where another nearly does.")
    limits_unexplained: tuple[float, float] = setting((40.0, 8.0), "And where none does.")
    nearly: float = setting(5.0, "Reduced χ² of what nearly explains a curve.")
    behind: float = setting(30.0, "By so much χ² has to be worse in any case for a candidate to be behind.")
    helped: tuple[float, float] = setting(
        (20.0, 3.0),
        "What is worse than others by more is not helped by other whole numbers, distributions or minima; the"
        " second where another model explains the curve.",
    )
    helped_sharp: float = setting(
        4.0, "Neighbouring minima are looked for without a width, even if χ² is larger by this factor."
    )
    same_start: float = setting(1e-3, "Starts whose χ² differ by less, relative, ended in the same minimum.")
    enough: float = setting(1e-4, "Relative change of χ² at which a refinement ends; far below the noise.")
    roughly: float = setting(1e-3, "The same on the way from one local minimum to another.")
    between: Pass = setting(Pass(0.7, (0.02, 0.0), 8), "Refinement of what is proposed beside a minimum.")
    hopping_time: float = setting(15.0, "Time from which on an expensive model tries basin hopping.", "s")
    as_good: float = setting(1.05, "No width is tried where χ² is that of the best so far, by this factor.")
    given: Pass = setting(Pass(0.3, (0.02, 0.0), 12), "Refinement of starts that are given.")
    first: Pass = setting(Pass(0.3, (0.1,), 6), "First refinement of the bank's curves.")
    first_widths: Pass = setting(Pass(0.4, (0.1,), 6), "The same with widths, for expensive models.")
    second: Pass = setting(Pass(0.5, (0.02, 0.0), 10), "Of the best of these.")
    widths: Pass = setting(Pass(0.6, (0.02, 0.0), 8), "Of these with widths, where they are behind.")
    late_widths: Pass = setting(Pass(0.75, (0.02, 0.0), 8), "And where something is left to explain.")
    all_points: Pass = setting(Pass(0.6, (0.0,), 20), "On all points.")
    late_all_points: Pass = setting(Pass(0.8, (0.0,), 20), "On all points, of late widths.")
    more_points: Pass = setting(Pass(0.1, (0.0,), 8), "Once more with more points, after that share.")
    hopping_first: ByCost[Pass] = setting(
        by_cost(Pass(0.1, (0.1,), 6), Pass(0.1, (0.1,), 6), Pass(0.3, (0.1,), 6)), "Before basin hopping."
    )
    hopping_second: ByCost[Pass] = setting(
        by_cost(Pass(0.25, (0.02, 0.0), 10), Pass(0.25, (0.02, 0.0), 10), Pass(0.5, (0.02, 0.0), 10)),
        "Then, of all of them.",
    )
    least_start: float = setting(0.1, "Of a candidate's time, what each start has at least.", "share")
    least_count: float = setting(0.05, "The same, what counting points of distributions has.", "share")
    least_sampling: float = setting(0.5, "Time for finding out how many points of q are needed.", "s")
    screening_share: float = setting(0.3, "Of the time for a curve, what screening may take.", "share")
    assessment_share: float = setting(0.05, "The same, what is kept for the assessment.", "share")
    systematic: float = setting(
        ASSESSMENT.small_systematic,
        "Of I: once what is left is an error that neighbours share, this large at most, the search ends.",
    )
    promising: float = setting(0.7, "As long as χ² falls to this, escapes from local minima go on.")
    as_measured: int = setting(4, "Fits tried again at the measured points alone, the simplest first.")
    as_measured_near: float = setting(2.0, "χ² of these, over the best's, at most.")
    escapes: int = setting(3, "Candidates that try to escape a local minimum.")
    escape_cheap: float = setting(6.0, "Time that the fit of an expensive one of them took at most.", "s")
    escape_behind: float = setting(5.0, "χ² of other candidates over the best's, at most.")
    interacts: float = setting(0.7, "χ² of a form that interacts, over the best without, at most.")
    near_interacting: float = setting(
        2.0, "χ² of the form whose structure factors are all tried, over the best that interacts, at most."
    )
    more_worse: float = setting(1.5, "Their screening may be worse than the best tried by this factor.")
    more_volume: float = setting(0.05, "Volume fraction at which a product starts from its form's fit.")
    sum_hosts: int = setting(2, "Of the best fits, and of the likeliest models, get a second component.")
    sums: int = setting(5, "Sums of two models that are fitted.")
    sums_near: float = setting(0.7, "Weighted residual of sums that come near: within their tolerance.")
    relative_dq: tuple[float, ...] = setting(
        (0.006, 0.02, 0.04, 0.08), "dq/q that are tried: synchrotrons and pinhole instruments."
    )
    absolute_dq: tuple[float, ...] = setting((7e-4, 1.5e-3), "dq that are tried: laboratory cameras.", "Å⁻¹")
    coarse_dq: float = setting(0.015, "Below this dq/q expensive models need more points of q, too.")
    dq_factors: tuple[float, ...] = setting(
        (1.4, 1.2, 1.1, 1.05, 1.02, 1.01), "By which the best of these is changed, one after the other."
    )
    dq_fall: float = setting(0.01, "A factor is tried again as long as χ² falls by more, relative.")
    dq_steps: int = setting(6, "Steps of refinement with each resolution.")
    dq_gain: float = setting(
        10.0, 'Fall of tempered χ² beyond ln n: "very strong" evidence (Kass & Raftery 1995).'
    )
    dq_time: float = setting(10.0, "Time of a search for a resolution.", "s")
    dq_near: float = setting(100.0, "χ² of a model worth one, over the best's, at most.")
    dq_far: float = setting(30.0, "χ² over the best's from which on none is fitted again with it.")


STRATEGY = StrategySettings()
