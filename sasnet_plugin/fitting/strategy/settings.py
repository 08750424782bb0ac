"""Every number that decides what is fitted, in which order, with how much time, and when a search ends."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import EVIDENCE, OPTIMIZE, ByCost, map_by_cost, setting


@dataclass(frozen=True)
class Pass:
    """How a set of starts is refined."""

    share: float  #: Of the candidate's time; what is begun by then is finished.
    tolerances: tuple[float, ...]  #: Relative errors added to the data's own, one after the other.
    steps: int


@dataclass(frozen=True)
class StrategySettings:
    """Of `strategy`: what is fitted, in which order, with how much time, and when a search ends.

    Probabilities are the network's, times evaluations as `costs` counts them, χ² reduced where it is
    compared with a number.
    """

    price: float = setting(
        0.08, "Worth of a second: a step that is expected to gain less is not taken.", "1/s"
    )
    most_boost: float = setting(10.0, "What a good fit gains if no model fits the curve, at most.")
    doubtful_boost: float = setting(2.0, "The same where a fit explains it, though χ² is rather large.")
    in_library: float = setting(
        0.6, "Of measured curves, those that some model of the library explains to their uncertainties."
    )
    least_prior: float = setting(0.003, "Probability of a model that the network finds less likely.")
    simple_prior: float = setting(
        0.02, "The same of shapes that experts try first, of any structure factor, and of one that is nearer."
    )
    stands_out: float = setting(
        0.4, "Residual over that of the next model, below which the library has found the shape."
    )
    near: float = setting(0.05, "Added to weighted residuals of the library before they are compared.")
    some_salt: float = setting(0.005, "Salt that is tried with charged particles.", "mol/l")
    expected_time: ByCost[float] = setting(
        map_by_cost(0.35, 0.7, 3.0), "What a fit is expected to take.", "s"
    )
    time: ByCost[float] = setting(map_by_cost(4.0, 8.0, 12.0), "What it has at most.", "s")
    from_start: float = setting(0.2, "Of the expected time, what a fit from a given start takes.", "share")
    rough: Pass = setting(
        Pass(0.3, (OPTIMIZE.rough_tolerance,), 6), "Refinement of the library's curves on a coarse copy."
    )
    coarse: Pass = setting(
        Pass(0.6, (0.02, 0.0), OPTIMIZE.few_steps), "Of the best of these, and of their neighbourhood."
    )
    fine: Pass = setting(Pass(0.8, (0.0,), 20), "On all points.")
    low_grows: float = setting(1.6, "By this factor the largest q grows.")
    round_fall: float = setting(
        0.1, "By so much, relative, χ² has to fall in a round for another one, or differ in another minimum."
    )
    gain: tuple[float, float] = setting(
        (100.0, 20.0), "By which χ² may still fall after the rough and after the coarse refinement."
    )
    gain_explained: tuple[float, float] = setting((15.0, 1.3), "The same where another model explains.")
    search_share: float = setting(
        0.75,
        "Of the time limit on the wall, what the search has at most; the rest is for Bumps and errors.",
        "share",
    )
    rough_share: float = setting(
        0.5,
        "Of the time left, for models with an error of a share of I, where none fits.",
        "share",
    )
    joint_share: float = setting(
        0.2, "Of the time of a sample, what is kept for joint fits after those of single curves.", "share"
    )
    assessment_share: float = setting(0.05, "Of the time limit, what is kept for the assessment.", "share")
    more_volume: float = setting(0.05, "Volume fraction at which a product starts from its form's fit.")
    broad_widths: tuple[float, ...] = setting(
        (0.1, 0.3, 0.5),
        "Widths of size distributions that are tried without an interaction before one is believed.",
    )
    in_vain: int = setting(
        20, "Starts at random in a row that lead no lower, after which a fit that explains is the right one."
    )
    far_behind: float = setting(
        20.0, "2 ln of evidence: so far behind the best fit another fit gets no weight."
    )
    falls: float = setting(
        0.7,
        "To so much χ², or the residual of a structure factor, has to fall for that to be of interest; sums"
        " of a lower residual come near, within their tolerance.",
    )
    relative_dq: tuple[float, ...] = setting(
        (0.006, 0.02, 0.04, 0.08), "dq/q that are tried: synchrotrons and pinhole instruments."
    )
    most_relative_dq: float = setting(
        0.25, "Largest dq/q of an instrument: beyond it another model is what lacks."
    )
    absolute_dq: tuple[float, ...] = setting((7e-4, 1.5e-3), "dq that are tried: laboratory cameras.", "Å⁻¹")

    @property
    def chance_gain(self) -> float:
        """ln likelihood that another model may gain on a fit that leaves noise: not worth a mention."""
        return EVIDENCE.bare_mention / 2


STRATEGY = StrategySettings()
