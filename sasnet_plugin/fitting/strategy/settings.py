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

    group_share: float = setting(0.1, "Of a group this probable the simplest models are fitted too.")
    simplest: int = setting(3, "So many of them.")
    factor_share: float = setting(0.15, "A structure factor this probable, given the form, is a candidate.")
    none_left: float = setting(
        0.6,
        "No structure factor's part of what the likeliest leaves; each other has a third of the rest.",
    )
    least_factor: float = setting(0.02, "Least probability of a structure factor in the ranking.")
    simplified: int = setting(4, "So many of the best fits are looked at for having become a simpler model.")
    certain: float = setting(0.6, "An expensive model this probable comes last, with the others' time.")
    patience: float = setting(30.0, "Time of a candidate that is expected to explain the curve.", "s")
    brief: float = setting(4.0, "Time of one that is there to be compared.", "s")
    likely: float = setting(0.2, "An expensive model this probable has its time, whatever others explain.")
    unlikely: float = setting(0.01, "An expensive model less probable is not looked for among more models.")
    possible: float = setting(0.1, "An expensive model this probable may be fitted once more.")
    expected: float = setting(0.3, "A model this probable is expected to explain the curve.")
    sure: float = setting(0.7, "Besides one this probable, little else is tried.")
    needed_width: float = setting(4.0, "A width above so many of its standard deviations is there for sure.")
    lm_starts: ByCost[int] = setting(by_cost(2, 1, 1), "Starts from which Levenberg-Marquardt begins.")
    lm_share: float = setting(0.2, "Of a candidate's time, what Levenberg-Marquardt has at least.", "share")
    derivatives_share: float = setting(0.1, "Of it, what derivatives at the end may cost.", "share")
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
    escape_shares: tuple[float, float] = setting(
        (0.6, 0.95), "Of what is left, for escapes before and after more models are tried.", "share"
    )
    systematic: float = setting(
        ASSESSMENT.small_systematic,
        "Of I: once what is left is an error that neighbours share, this large at most, the search ends.",
    )
    promising: float = setting(0.7, "As long as χ² falls to this, escapes from local minima go on.")
    as_measured: int = setting(4, "Fits tried again at the measured points alone, the simplest first.")
    as_measured_near: float = setting(2.0, "χ² of these, over the best's, at most.")
    as_measured_share: float = setting(0.15, "Of the time left, for these.", "share")
    as_measured_gain: float = setting(
        0.2, "To so much χ² has to fall: then the data were calculated at these points."
    )
    explained_share: float = setting(
        0.1, "Of all time, for what explains an explained curve better.", "share"
    )
    other_kinds: float = setting(3.0, "Other kinds of distribution are tried on a fit that took less.", "s")
    screening_again: float = setting(0.2, "Of what is left, for screening more models.", "share")
    resolution_each: float = setting(0.3, "Of what is left, for each search for a resolution.", "share")
    resolution_all: float = setting(0.5, "Of what is left, for all of them.", "share")
    escapes: int = setting(3, "Candidates that try to escape a local minimum.")
    escape_cheap: float = setting(6.0, "Time that the fit of an expensive one of them took at most.", "s")
    escape: float = setting(8.0, "Time for the escape of one.", "s")
    escape_explained: float = setting(10.0, "Of the expected one where another explains the curve.", "s")
    again_needs: float = setting(20.0, "Time from which on an expensive model is fitted once more.", "s")
    again: float = setting(60.0, "Time that it has then.", "s")
    escape_behind: float = setting(5.0, "χ² of other candidates over the best's, at most.")
    interacts: float = setting(0.7, "χ² of a form that interacts, over the best without, at most.")
    near_interacting: float = setting(
        2.0, "χ² of the form whose structure factors are all tried, over the best that interacts, at most."
    )
    more_hosts: int = setting(3, "Form models on which more structure factors are tried.")
    more_pairs: int = setting(4, "Such products that are fitted.")
    more_expensive: int = setting(2, "Expensive ones among them.")
    more_forms: int = setting(3, "More form models that are fitted.")
    more_worse: float = setting(1.5, "Their screening may be worse than the best tried by this factor.")
    more_volume: float = setting(0.05, "Volume fraction at which a product starts from its form's fit.")
    sum_hosts: int = setting(2, "Of the best fits, and of the likeliest models, get a second component.")
    sums: int = setting(5, "Sums of two models that are fitted.")
    sums_screening: float = setting(0.2, "Of what is left, for screening them.", "share")
    sums_share: float = setting(0.5, "Of what is left, for fitting them.", "share")
    sums_kept: float = setting(
        0.4, "Of all time for evaluations, what they have at least, whatever others have spent.", "share"
    )
    terms_share: float = setting(
        0.5, "Of that, for sums that look much like the best one, and as much for its body alone.", "share"
    )
    sums_near: float = setting(0.7, "Weighted residual of sums that come near: within their tolerance.")
    simple_near: float = setting(
        4.0, "Weighted residual of a simple body over the nearest's, at most, to be fitted before sums are."
    )
    sum_time: float = setting(5.0, "Time of one of them: the simplest first, of cheap bodies.", "s")
    sums_needed: float = setting(
        0.25, "Weighted residual of the bank's nearest curve below which sums are not thought of at first."
    )
    sums_clear: float = setting(
        0.6, "To so much of a single model's a sum must bring it, to be among the first candidates."
    )
    intricate: tuple[int, int] = setting(
        (6, 7),
        "Fitted parameters from which on a model with a doubtful χ², and with a good one, is compared with"
        " sums: a sphere with a width and a power law has 6.",
    )
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
    dq_possible: float = setting(0.15, "Probability of a model worth one.")
    dq_searches: int = setting(4, "Searches, at most.")
    dq_far: float = setting(30.0, "χ² over the best's from which on none is fitted again with it.")


STRATEGY = StrategySettings()
