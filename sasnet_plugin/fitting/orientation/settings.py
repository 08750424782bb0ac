"""The numbers that decide something in the inversion of a pattern, each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass

from ...simulate.gisas.geometry import N_XI
from ..settings import setting


@dataclass(frozen=True)
class InversionSettings:
    """Thresholds, numbers of tries and tolerances; lengths in Å, angles in degrees."""

    # Counts
    covered: float = setting(
        0.95,
        "A pixel of the window counts if so much of it was measured: peaks are narrower than a pixel, and a "
        "part of one says little of the whole.",
    )
    least_counts: int = setting(100, "Fewer counts say nothing.")
    rod: float = setting(0.1, "Half width of the specular rod.", "degrees")

    # Likelihood
    tolerance: float = setting(
        0.002,
        "The basis is right to so much of a pixel (benchmarks/gisas_simulation.md); no pixel is believed "
        "beyond.",
    )
    least_expected: float = setting(1e-3, "Least expected counts of a pixel.")
    beyond_prior: float = setting(0.1, "How far beyond the prior a fit may go, of its range.")

    # Descent
    longest_step: float = setting(0.15, "A step is at most this much of a parameter's range.")
    loose_tolerance: float = setting(
        0.1,
        "Relative tolerance of the first descent: the many counts of the rod do not tie it to the nearest "
        "of its fringes.",
    )
    tilts: tuple[float, ...] = setting(
        (-1.0, 1.0, -2.0, 2.0),
        "Other tilts of the sample from which a descent that ended badly is begun anew, in errors of the "
        "guess: a third of a pixel is enough to lead it into another local minimum.",
    )
    tilt_steps: int = setting(4, "Geometries of the descent from another tilt, at most.")
    suspect_loss: float = setting(
        0.55,
        "Loss of a pixel above which a first descent has to wait for others; noise leaves less than half.",
    )
    most_waiting: int = setting(2, "Suspicious descents that are followed in the end.")
    explained: float = setting(
        3.0, "Standard deviations of the deviance above its mean up to which a fit explains the counts."
    )
    well_explained: float = setting(
        1.0,
        "Of those, above which another film is looked for. A wrong film hides below three: of patterns with "
        "more than one, every second has a better film.",
    )

    # Thickness of the film
    film_step: float = setting(4.0, "Distance of the films that are tried.", "Å")
    film_gain_alone: float = setting(
        10.0, "Deviance that another film must save where nothing but it is changed."
    )
    film_gain: float = setting(
        5.0,
        "Fall of the loss that another film must promise to be followed, where the counts are explained "
        "already.",
    )
    same_film: float = setting(8.0, "Films nearer than this to one that was followed are the same.", "Å")
    most_films: int = setting(4, "Other films that are followed, at most.")

    # Search where the guess explains nothing
    wider_guess: float = setting(
        3.0, "A guess from which nothing explains the counts may be off by so many times more than it says."
    )
    radii: tuple[float, ...] = setting((80.0, 93.0, 106.0, 119.0, 132.0), "Radii that are tried.", "Å")
    lattices: tuple[float, ...] = setting(
        tuple(285.0 + 8.0 * k for k in range(17)), "Lattice constants that are tried.", "Å"
    )
    search_tolerance: float = setting(
        0.25, "Relative differences that are forgiven while local minima are compared."
    )
    search_steps: int = setting(4, "Geometries of each descent of the search, at most.")
    search_enough: float = setting(5.0, "Fall of the loss below which a descent of the search ends.")

    # Posterior samples of p(ξ)
    background: float = setting(
        0.3,
        "Counts of each background, of all that are seen: one standard deviation of what is believed "
        "beforehand.",
    )
    as_good: float = setting(
        80.0,
        "The mean of the samples explains the counts as well as the best weights if its deviance is larger "
        "by no more (of 120 weights, few are determined).",
    )
    worse_geometry: float = setting(
        15.0, "Loss by which a corrected geometry may be worse than the refined one."
    )
    sets: tuple[int, int] = setting((4, 150), "Sets of samples and samples in each, in the last round.")
    first_sets: tuple[int, int] = setting((2, 75), "The same in the rounds before the last.")
    effective: float = setting(
        0.5, "Share of the effective sample that a rise of the likelihood's exponent leaves."
    )
    walk_steps: tuple[float, ...] = setting(
        (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003),
        "Steps of the random walk in the prior's unit cube; which of them work is learnt on the way.",
    )
    moves: tuple[float, ...] = setting(
        (0.47, 0.22, 0.15, 0.08),
        "Shares of moves: walk, drawing anew, turning over, to the next bin; the rest: trading shares.",
    )
    behind: float = setting(
        20.0,
        "A set whose mean log likelihood is so much less than another's has not converged and is left out.",
    )
    hopeless: float = setting(
        0.1, "`in_scope` of the best weights below which only a rough distribution is drawn."
    )

    # What is said of p(ξ)
    band: float = setting(0.9, "Probability of the band at each angle.")
    negligible: float = setting(
        0.1 / N_XI, "Shares below a tenth of the uniform level are indistinguishable from nothing."
    )
    mirrored_share: float = setting(
        0.03, "Share of the samples nearer to the mirror image from which on the two cannot be distinguished."
    )
    own_mirror: float = setting(2.0, "Distributions so near to their mirror image need no choice.", "degrees")
    prior_draws: int = setting(4000, "Draws of the prior for its covariance.")
    alternatives: int = setting(
        1500, "Distributions that stand for the alternative in the test of uniformity."
    )
    reference_patterns: int = setting(999, "Patterns of a uniform sample that give the test its reference.")
    strengths: tuple[float, ...] = setting(
        (1.0, 0.3, 0.1, 0.03),
        "With which each alternative is mixed into the uniform one: a weak order is found as well.",
    )
    not_uniform: float = setting(0.05, 'The p-value above which "every angle alike" is not ruled out.')
    surely_uniform: float = setting(
        0.2, "The p-value above which a better fit with every angle alike adds nothing."
    )
    uniform_steps: int = setting(4, "Steps of a fit with every angle alike.")
    surely_not_uniform: float = setting(
        500.0, "Loss by which every angle alike may be worse after one step; more is no matter of geometry."
    )

    # Verification
    significant: float = setting(
        4.0, "Deviance in standard deviations above its mean from which chance is no explanation."
    )
    half_believed: float = setting(
        0.1, "Difference beside the rod, relative to the pattern there, at which a model is half believed."
    )
    least_share: float = setting(
        0.02, "Share of the counts beside the rod that ordered particles must have to be seen."
    )


INVERSION = InversionSettings()
