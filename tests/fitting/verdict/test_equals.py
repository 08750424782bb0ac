"""Which fits are as good as the best one, and of what kind they are."""

from __future__ import annotations

from dataclasses import replace

from made_results import SPHERE, WRONG, answer, fitted, p

from sasnet_plugin.fitting.result.components import Component
from sasnet_plugin.fitting.result.fit_warning import About, FitWarning
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.verdict.equals import (
    as_good,
    describe_error,
    is_disguised,
    is_overstated,
    list_other_shapes,
    list_same_kind,
    much_nearer,
    nearest,
    no_shape,
    shows_no_length,
    worth_showing,
)

SHELL = fitted("core_shell_sphere", radius=p(60, 1), thickness=p(12, 1))
ROD = fitted("cylinder", radius=p(30, 1), length=p(90, 4))


def test_ties_are_of_one_kind_or_of_another_shape() -> None:
    found = answer(SPHERE, SHELL, ROD, fitted("dab"), alike=("core_shell_sphere", "cylinder"))
    assert as_good(found) == [SHELL, ROD]
    assert list_same_kind(found) == [SHELL]
    assert list_other_shapes(found) == [ROD]
    # Models that the network never tells apart are of one kind, whatever their names.
    box = answer(ROD, fitted("parallelepiped"), alike=("parallelepiped",))
    assert list_other_shapes(box) == []
    assert as_good(answer(fits=())) == []


def test_some_of_the_evidence_counts_where_the_residuals_are_no_larger() -> None:
    likely = replace(ROD, weight=0.2)
    assert as_good(answer(SPHERE, likely)) == [likely]
    assert as_good(answer(SPHERE, replace(likely, reduced_chisq=3.0))) == []
    assert as_good(answer(SPHERE, replace(likely, weight=0.01))) == []


def test_an_ellipsoid_of_equal_axes_is_a_sphere_and_no_rival() -> None:
    warning = FitWarning("Its axes are equal.", About.SIMPLER, parameter="radius_polar", model="sphere")
    same = fitted("ellipsoid", warnings=(warning,))
    assert is_disguised(SPHERE, same)
    assert as_good(answer(SPHERE, same, alike=("ellipsoid",))) == []
    assert not is_disguised(SHELL, same)


def test_a_sum_of_which_next_to_nothing_is_the_second_is_no_rival_of_its_body() -> None:
    def beside(share: float) -> ModelFit:
        parts = (Component("sphere", "A_", 1 - share, None, "scattering"),
                 Component("power_law", "B_", share, None, "scattering"))  # fmt: skip
        return replace(fitted("sphere+power_law"), components=parts)

    shown = beside(0.04)
    assert is_disguised(SPHERE, beside(0.0002))
    assert not is_disguised(SPHERE, shown)
    assert not is_disguised(SHELL, beside(0.0002))
    # A small part without which χ² is much larger is seen.
    assert not is_disguised(replace(SPHERE, chisq=SPHERE.chisq + 60), beside(0.0002))
    assert as_good(answer(SPHERE, beside(0.0002), alike=("sphere+power_law",))) == []
    assert as_good(answer(SPHERE, shown, alike=("sphere+power_law",))) == [shown]


def test_a_body_of_which_no_length_is_seen_is_no_rival() -> None:
    law = fitted("power_law", power=p(3.2, 0.01, ""))
    coil = fitted("polymer_excl_volume", rg=p(9000, 4000), porod_exp=p(3.2, 0.01, ""))
    found = answer(law, coil, SPHERE, alike=("polymer_excl_volume", "sphere"))
    assert shows_no_length(found.fits[1])
    assert not shows_no_length(SPHERE)
    assert not shows_no_length(law)
    assert as_good(found) == [SPHERE]


def test_too_large_errors_are_no_tie_of_fits_that_differ_much() -> None:
    exact = replace(SPHERE, reduced_chisq=0.003)
    near, far = fitted("ellipsoid", 0.009), fitted("cylinder", 0.17)
    found = answer(exact, near, far, explaining=("ellipsoid", "cylinder"))
    assert is_overstated(found)
    assert as_good(found) == [near]
    assert not is_overstated(answer())


def test_so_many_shapes_are_none() -> None:
    others = [fitted(name) for name in ("cylinder", "dab", "guinier", "power_law")]
    names = tuple(fit.model for fit in others)
    assert no_shape(answer(SPHERE, *others, alike=names))
    assert not no_shape(answer(SPHERE, *others[:3], alike=names[:3]))


def test_the_nearest_is_the_nearest() -> None:
    first, second = replace(SPHERE, reduced_chisq=1.31), replace(SHELL, reduced_chisq=1.17)
    assert nearest(answer(first, second)) is second
    assert much_nearer(answer(first, second)) is None
    assert much_nearer(answer(replace(first, reduced_chisq=30.0), second)) is second


def test_fits_a_hundred_times_worse_are_not_shown_but_the_first_always_is() -> None:
    far = fitted("lamellar", 103.0)
    assert worth_showing((SPHERE, SHELL, far)) == (SPHERE, SHELL)
    assert worth_showing((far, SPHERE)) == (far, SPHERE)
    assert worth_showing(()) == ()


def test_only_an_error_that_measurements_have_excuses() -> None:
    error = {"relative": 0.021, "length_ln_q": 0.1, "noise": 1.0, "background": 0.2, "excuses": True}
    said = describe_error(answer(verification=replace(WRONG, systematic=error)))
    assert said == "a systematic error of 2.1 % of I and a background that changes along q"
    assert describe_error(answer(verification=replace(WRONG, systematic={**error, "excuses": False}))) == ""


def test_an_interaction_of_which_the_data_show_nothing_is_no_rival_of_the_particles_alone() -> None:
    """Broad spheres: hard ones of a volume fraction that stands at its default have the same curve."""
    fixed = replace(p(0.01, 0.0), error=None, fixed=True)
    hidden = fitted("sphere", factor="hardsphere", radius=p(60, 1), volfraction=fixed)
    assert is_disguised(SPHERE, hidden)
    assert not is_disguised(SPHERE, fitted("sphere", factor="hardsphere", volfraction=p(0.1, 0.01)))
    assert not is_disguised(replace(SPHERE, chisq=SPHERE.chisq + 60), hidden)
