"""The numbers that decide something in the inversion of a pattern, each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass

from ....fitting.settings import setting
from ..simulation.geometry import N_XI


@dataclass(frozen=True)
class InversionSettings:
    """Thresholds, numbers of tries and tolerances; lengths in Å, angles in degrees."""

    # Counts
    covered: float = setting(0.95, "A pixel counts if so much of it was measured: peaks are narrow.")
    least_counts: int = setting(100, "Fewer counts say nothing.")
    rod: float = setting(0.1, "Half width of the specular rod.", "degrees")

    # Likelihood
    tolerance: float = setting(0.002, "Accuracy of the basis in a pixel, docs/studies.md.")
    least_expected: float = setting(1e-3, "Least expected counts of a pixel.")
    beyond_prior: float = setting(0.1, "How far beyond the prior a fit may go, of its range.")

    # Descent
    longest_step: float = setting(0.15, "A step is at most this much of a parameter's range.")
    loose_tolerance: float = setting(0.1, "Of the first descent, that the rod does not tie it to a fringe.")
    tilts: tuple[float, ...] = setting(
        (-1.0, 1.0, -2.0, 2.0), "Other tilts tried, in errors of the guess: a third of a pixel matters."
    )
    trial_steps: int = setting(4, "Geometries of a descent from another tilt, radius or lattice, at most.")
    suspect_loss: float = setting(
        0.55, "Loss of a pixel above which a descent waits; noise leaves below 0.5."
    )
    most_waiting: int = setting(2, "Suspicious descents that are followed in the end.")
    explained: float = setting(3.0, "Standard deviations above the mean deviance that a right fit may have.")
    well_explained: float = setting(
        1.0, "Of those, above which another film is looked for: every second such pattern has a better one."
    )

    most_geometries: int = setting(36, "Geometries after which no other descent begins.")
    most_work: float = setting(
        6.5, "The same; narrow peaks need parts of pixels, each at its cost: 15 with all else.", "CPU-seconds"
    )
    overrun: float = setting(
        1.3,
        "Of that, from which on a descent that has begun ends where it stands: narrow peaks need it.",
    )
    geometry_work: tuple[float, float] = setting(
        (0.06, 0.085), "Of a geometry, and of each million values of its lattice's sums.", "CPU-seconds"
    )

    # Thickness of the film
    film_step: float = setting(4.0, "Distance of the films that are tried.", "Å")
    film_gain_alone: float = setting(10.0, "Deviance that another film must save with nothing else changed.")
    same_film: float = setting(8.0, "Films nearer than this to one that was followed are the same.", "Å")
    most_films: int = setting(4, "Other films that are followed, at most.")
    sweep_step: float = setting(24.0, "Distance of the films all over the range that are looked at.", "Å")
    sweep_first: int = setting(2, "Geometries of the descent from each of them at first.")
    sweep_steps: int = setting(3, "More of them where it comes near.")
    sweep_far: float = setting(20.0, "Loss above the best from which on it does not: it falls by half.")

    # Search where the guess explains nothing
    wider_guess: float = setting(3.0, "Times more than it says a guess that explains nothing may be off.")
    radii: tuple[float, ...] = setting((80.0, 93.0, 106.0, 119.0, 132.0), "Radii that are tried.", "Å")
    lattices: tuple[float, ...] = setting(
        tuple(285.0 + 8.0 * k for k in range(17)), "Lattice constants that are tried.", "Å"
    )
    search_tolerance: float = setting(0.25, "Relative differences forgiven while local minima are compared.")
    search_enough: float = setting(5.0, "Fall of the loss below which a descent of the search ends.")

    # Posterior samples of p(ξ)
    background: float = setting(0.3, "Standard deviation of a background's prior, of all counts.")
    as_good: float = setting(80.0, "Deviance that the samples' mean may have above the best weights'.")
    worse_geometry: float = setting(15.0, "Loss that a corrected geometry may have above the refined one's.")
    sets: tuple[int, int] = setting(
        (4, 200),
        "Sets of samples and samples in each, in the last round: of two solutions that explain alike,"
        " small sets gave one of two 0.3 to 0.98.",
    )
    first_sets: tuple[int, int] = setting((2, 75), "The same in the rounds before the last.")
    effective: float = setting(0.5, "Share of the effective sample that a rise of the exponent leaves.")
    walk_steps: tuple[float, ...] = setting(
        (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003), "Steps of the walk in the prior's unit cube."
    )
    moves: tuple[float, ...] = setting(
        (0.47, 0.22, 0.15, 0.08), "Walk, draw anew, turn over, to the next bin; the rest trades shares."
    )
    behind: float = setting(20.0, "A set with a mean log likelihood so far behind has not converged.")
    hopeless: float = setting(0.1, "`in_scope` of the best weights below which samples are rough.")

    # What is said of p(ξ)
    band: float = setting(0.9, "Probability of the band at each angle.")
    negligible: float = setting(0.1 / N_XI, "A tenth of the uniform level is indistinguishable from nothing.")
    mirrored_share: float = setting(0.03, "Share of mirrored samples from which on both solutions are given.")
    own_mirror: float = setting(2.0, "Distributions so near to their mirror image need no choice.", "degrees")
    reference_patterns: int = setting(999, "Patterns of a uniform sample that give the test its reference.")
    strengths: tuple[float, ...] = setting(
        (1.0, 0.3, 0.1, 0.03), "With which alternatives are mixed in: a weak order is found as well."
    )
    not_uniform: float = setting(0.05, 'The p-value above which "every angle alike" is not ruled out.')
    surely_uniform: float = setting(0.2, "The p-value above which a better uniform fit adds nothing.")
    uniform_steps: int = setting(4, "Steps of a fit with every angle alike.")
    surely_not_uniform: float = setting(500.0, "Loss that no geometry makes good after one of these steps.")

    # Verification
    significant: float = setting(4.0, "Standard deviations of the deviance from which it is no chance.")
    half_believed: float = setting(
        0.1, "Relative difference away from the rod that leaves a model half believed."
    )
    misfit_error: float = setting(
        0.1,
        (
            "Of lengths, relative, for each unit by which the model is off away from the rod: optical"
            " constants and resolution that are not the sample's move them so"
            " (benchmarks/images/images_elsewhere.py)."
        ),
    )
    rival_bands: int = setting(5, "Bands of rows on which other lattices are tried: streaks stand upright.")
    rival_step: float = setting(
        1.2, "Of the lattices that are tried, over 1/ω where the detector ends: peaks are 1.5 wide."
    )
    rival_starts: int = setting(2, "Square lattices that are followed: the best may need another radius.")
    rival_steps: int = setting(
        4,
        "Steps of the geometry with another lattice, at most; half for the fit, which is nearly right.",
    )
    rival_far: float = setting(2.0, "Deviance in those bands, over the fit's, up to which one is followed.")
    rival_odds: float = setting(
        10.0, "Deviance by which another lattice must explain less not to be named: odds of 150 to 1."
    )
    rival_prior: float = setting(
        10.0, "Odds of a hexagonal lattice before: spheres in one layer seldom lie in squares."
    )
    rival_scope: float = setting(0.7, "`in_scope` at most with another lattice that is named.")
    rival_gain: float = setting(
        200.0, "Deviance by which another lattice must be better to be the right one."
    )
    least_share: float = setting(0.02, "Share of counts away from the rod that ordered particles must have.")


INVERSION = InversionSettings()
