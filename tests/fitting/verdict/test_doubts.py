"""One doubt, the one that would hurt most; none for good data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_results import CURVE, GOOD, GROUPS, SPHERE, WRONG, answer, fitted, p, unlike

from sasnet_plugin.fitting.result.components import Component
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.fit_warning import HARMLESS, About, FitWarning
from sasnet_plugin.fitting.result.model_fit import Misfit
from sasnet_plugin.fitting.verdict.doubts import doubts, list_open, simpler_model
from sasnet_plugin.fitting.verdict.headline import headline
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Suggestion
from sasnet_plugin.units import QUnit

UNIT = QUnit(stated=False, doubt="The file names no unit of q; it looks like nm⁻¹.")
ROD = fitted("cylinder", radius=p(30, 1), length=p(90, 4))


def test_good_data_leave_no_doubt_nor_does_a_tie_of_one_kind() -> None:
    shell = fitted("core_shell_sphere", radius=p(60, 1), thickness=p(12, 1))
    assert doubts(answer()) == ()
    assert doubts(answer(SPHERE, shell, alike=("core_shell_sphere",))) == ()
    # What moves with another has that in its error.
    for harmless in HARMLESS:
        together = FitWarning("radius and scale are correlated.", harmless, parameter="radius")
        assert doubts(answer(replace(SPHERE, warnings=(together,)))) == ()


def test_a_wrong_unit_would_hurt_most() -> None:
    said = doubts(answer(SPHERE, ROD, alike=("cylinder",), curve=replace(CURVE, q_unit=UNIT)))
    assert said[0] == UNIT.doubt
    assert len(said) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alike": ("cylinder",)}, "Another shape, cylinders, fits equally well (cylinder"),
        ({"curve": replace(CURVE, dintensity=None)}, "The data state no uncertainties"),
        ({"unanswered": ("onion",)}, "For a technical reason, onion could not be fitted."),
        ({"verification": replace(GOOD, runs=-9.0)}, "Residuals are not random (runs test -9.0 σ)"),
        ({"verification": replace(GOOD, replicates=unlike("It differs."))}, "It differs."),
    ],
)
def test_each_of_them_is_said(changes: dict[str, object], words: str) -> None:
    (said,) = doubts(answer(SPHERE, ROD, **changes))
    assert said.startswith(words)


def test_a_lorentzian_is_also_the_curve_of_coils_of_most_probable_lengths() -> None:
    q, length = np.geomspace(0.005, 0.5, 100), 28.0
    network = call("lorentz", q, {"cor_length": length, "background": 0.0}).intensity
    coils = {"rg": 3**0.5 * length, "polydispersity": 2.0, "i_zero": 1.0, "background": 0.0}
    assert call("poly_gauss_coil", q, coils).intensity == pytest.approx(network, rel=1e-6)

    fit = fitted("lorentz", cor_length=p(length, 0.2))
    (said,) = doubts(answer(fit))
    assert "Mw/Mn = 2 (poly_gauss_coil)" in said
    assert "Rg 48.50 ± 0.35 Å" in said
    # Not a second time where such coils are named as indistinguishable.
    named = doubts(answer(fit, fitted("poly_gauss_coil", rg=p(48.5, 0.4)), alike=("poly_gauss_coil",)))
    assert not [sentence for sentence in named if "Mw/Mn" in sentence]


def test_a_second_contribution_without_a_size_is_said() -> None:
    law = fitted("power_law", 1.6, power=p(4.0, 0.01, ""))
    parts = (Component("power_law", "B_", 0.9, None, "scattering"),
             Component("lorentz", "A_", 0.1, None, "scattering"))  # fmt: skip
    lengths = {"A_cor_length": p(13, 13), "B_power": p(4.0, 0.02, "")}
    both = fitted("lorentz+power_law", 1.0, components=parts, **lengths)
    said = doubts(answer(law, both))
    assert said[0].startswith("A second contribution improves the fit (reduced χ² 1 instead of 1.6)")
    same = doubts(answer(law, replace(both, chisq=law.chisq - 1)))
    assert not [sentence for sentence in same if "second contribution" in sentence]


def test_a_tie_with_quite_another_size_is_said_and_not_averaged() -> None:
    faint = fitted("core_shell_sphere", radius=p(72, 1), thickness=p(30, 2))
    found = answer(SPHERE, faint, alike=("core_shell_sphere",))
    assert doubts(found) == (
        "core_shell_sphere, which fits equally well, has another outer radius: 102.0 ± 2.2 Å.",
    )
    assert "radius 72.0 ± 0.1 Å" in headline(found)


def test_contrasts_of_the_other_sign_are_said_where_all_densities_were_fitted() -> None:
    """A curve has the squares and products of contrasts, so both signs fit unless a density is given."""
    solvent = p(2.35, unit="1e-6/Ang^2", fixed=True)
    core, shell = (p(value, 0.2, "1e-6/Ang^2") for value in (4.15, 1.71))
    sizes = {"radius": p(35.0, 2.0), "thickness": p(25.0, 5.0)}
    best = fitted("core_shell_sphere", **sizes, sld_core=core, sld_shell=shell, sld_solvent=solvent)
    (said,) = (doubt for doubt in doubts(answer(best)) if "opposite sign" in doubt)
    assert "sld_core 0.55 and sld_shell 3 (" in said
    q, given = np.geomspace(0.01, 0.2, 20), {"radius": 35.0, "thickness": 25.0, "sld_solvent": 2.35}
    one, other = (
        call("core_shell_sphere", q, given | {"sld_core": c, "sld_shell": s}).intensity
        for c, s in ((4.15, 1.71), (0.55, 2.99))
    )
    assert one == pytest.approx(other, rel=1e-9)
    known = replace(best, parameters=best.parameters | {"sld_shell": replace(shell, fixed=True)})
    assert not any("opposite sign" in doubt for doubt in doubts(answer(known)))


def test_points_that_any_model_fits_are_said() -> None:
    few = replace(CURVE, **{name: getattr(CURVE, name)[:6] for name in ("q", "intensity", "dintensity")})
    assert doubts(answer(curve=few))[0].startswith("Only 6 points for 4 fitted parameters")


def test_errors_of_the_wrong_size_are_said() -> None:
    assert "5 times the scatter" in doubts(answer(replace(SPHERE, reduced_chisq=0.04)))[0]
    assert doubts(answer(replace(SPHERE, reduced_chisq=0.5))) == ()
    (small,) = doubts(answer(replace(SPHERE, reduced_chisq=2.0)))
    assert small.startswith("Residuals are random but 1.4 times as large")


def test_uncertainties_that_neighbouring_points_contradict_are_said_both_ways() -> None:
    """χ² of a smooth misfit may look right with uncertainties that are three times too large."""

    def scattering(over_stated: float, relative: float = 0.01) -> FitResult:
        misfit = Misfit(relative, 0.01, over_stated)
        return answer(verification=replace(GOOD, misfit=misfit))

    assert doubts(scattering(1.2)) == ()
    assert "about 3 times the scatter of neighbouring points" in doubts(scattering(1 / 3))[0]
    assert doubts(scattering(3.0))[0].startswith("Neighbouring points scatter by 3 times the stated")
    assert doubts(scattering(1.0, 0.05))[0].startswith("The fit misses the points by 5 % of I, but")


@pytest.mark.parametrize(("relative", "is_calculated"), [(1e-5, True), (0.01, False)])
def test_points_that_a_fit_follows_too_closely_may_be_calculated(
    relative: float, is_calculated: bool
) -> None:
    """sasdata's sphere_80.txt: a misfit of 7×10⁻⁴ % of I was told as one of six times the scatter."""
    verification = replace(GOOD, misfit=Misfit(relative, relative / 6, 6.0))
    (first, *_) = doubts(answer(curve=replace(CURVE, dintensity=None), verification=verification))
    assert ("may be calculated" in first) == is_calculated
    assert ("scatter by" in first) != is_calculated


def test_a_large_misfit_is_no_scatter_of_neighbouring_points() -> None:
    """As concentrated silica: χ² 1006, residuals that change from point to point, points smooth to 1 σ."""
    wrong = replace(WRONG, misfit=Misfit(0.09, 0.03, 7.0), systematic={"relative": 0.3, "noise": 1.8})
    assert not any("Neighbouring" in s for s in doubts(answer(verification=wrong, verified=False)))
    noisy = replace(wrong, systematic={"relative": 0.3, "noise": 5.0})
    assert any("scatter by 5 times" in s for s in doubts(answer(verification=noisy, verified=False)))


def test_uncertainties_that_were_replaced_are_said() -> None:
    some = replace(CURVE, replaced=len(CURVE) // 4)
    assert doubts(answer(curve=some))[0].startswith("25 % of the stated uncertainties are unusable")
    assert doubts(answer(curve=replace(CURVE, replaced=1))) == ()


def test_a_range_that_the_answer_lies_beyond_is_named() -> None:
    at_end = fitted("sphere", radius=replace(p(50.0, 0.1), low=10.0, high=50.0))
    found = answer(at_end, limited=("radius",))
    assert doubts(found)[0] == (
        "The range given for radius, 10 to 50 Å, ends at the fitted value. It may exclude the answer."
    )
    assert doubts(answer(SPHERE, limited=("radius",))) == ()
    wrong = answer(at_end, limited=("radius",), verification=WRONG, verified=False)
    assert doubts(wrong)[0].startswith("The range given for radius")


def test_the_network_disagrees_unless_the_fits_refute_it() -> None:
    expected = Suggestion(
        "", "", (), tuple(replace(g, probability=0.9 - i) for i, g in enumerate(GROUPS[1:])), 0.9
    )
    found = answer(SPHERE, expected=replace(expected, groups=(*expected.groups, GROUPS[0])))
    assert doubts(found) == (
        "The network expects “cylinders and boxes” (90 %), but the best fit is sphere. None of that group was"
        " fitted.",
    )
    assert "cylinder (reduced χ² 1.02)" in doubts(replace(found, fits=(SPHERE, ROD)))[0]
    assert doubts(replace(found, fits=(SPHERE, replace(ROD, reduced_chisq=30.0)))) == ()


def test_what_explains_a_curve_of_no_model_keeps_its_size_not_its_shape() -> None:
    """Spheres with layers explain proteins; their sizes are those of the protein, their layers nothing's."""
    known = Suggestion("", "", (), GROUPS, 0.9)
    out = replace(known, in_scope=0.1)
    assert doubts(answer(expected=known)) == ()
    assert "Only 10 % likely" in doubts(answer(expected=out))[0]
    peak = fitted("broad_peak")  # is no body whose shape could be another
    assert doubts(answer(peak, expected=out)) == ()
    assert "Only 10 % likely to be a single" in doubts(answer(expected=out, verification=WRONG))[0]


def test_values_of_the_headline_that_no_sample_has_are_said_and_others_are_not() -> None:
    at_end = FitWarning("radius is at its upper limit, 72 Å.", About.VALUE, parameter="radius")
    hidden = FitWarning("scale is at the lower limit of its range.", About.VALUE, parameter="scale")
    assert doubts(answer(replace(SPHERE, warnings=(hidden, at_end)))) == (at_end,)
    simple = FitWarning("thickness is 0.", About.SIMPLER, parameter="thickness", model="sphere")
    shell = fitted("vesicle", radius=p(60, 1), thickness=p(12, 1), warnings=(simple,))
    assert doubts(answer(shell)) == (simple,)
    assert simpler_model(answer(shell)) == "sphere"
    assert simpler_model(answer()) == ""


def test_lengths_and_interactions_that_are_open_are_said() -> None:
    open_ = fitted("cylinder", radius=p(20, 1), length=p(150, 350))
    assert list_open(answer(open_)) == ["length"]
    assert doubts(answer(open_))[0].startswith("The length is not determined by these data: a model")
    sticky = fitted(
        "sphere", factor="stickyhardsphere", radius=p(50, 1), volfraction=p(0.01, 0.02, ""),
        stickiness=p(0.08, 0.07, ""),
    )  # fmt: skip
    assert doubts(answer(sticky))[0].startswith(
        "The data do not determine the volume fraction, so this interaction"
    )


def test_one_that_comes_much_nearer_is_not_hidden_by_its_prior() -> None:
    blend = fitted("rpa", 0.02)
    assert doubts(answer(replace(SPHERE, reduced_chisq=0.9), blend))[0] == (
        "Much nearer: a blend of polymers (rpa), reduced χ² 0.02 instead of 0.9."
    )


def test_of_what_is_not_explained_time_and_place_are_said() -> None:
    assert doubts(answer(verification=WRONG)) == (
        "The residuals are largest between q = 0.05 and 0.07 Å⁻¹, so the models are incomplete there.",
    )
    late = answer(verification=WRONG, unfitted=("onion", "prism", "rpa"))
    assert doubts(late)[0].startswith("The time limit left onion, prism and 1 more unfitted; one of them")
    assert doubts(replace(late, unfitted=("onion",)))[0].endswith("onion unfitted; it may fit better.")
    assert doubts(answer(verification=WRONG, limit_met=True))[0].startswith("The time limit ended the search")
    random = replace(WRONG, runs=0.2, noise=8.31)
    assert "random but about 8.3 times the stated uncertainties" in doubts(answer(verification=random))[0]
    assert doubts(answer(fits=(), limit_met=True))[0].startswith("The time limit")
    named = answer(SPHERE, unfinished=("prism",))
    assert doubts(named) == ("The time limit cut the fit of prism short. With more time it may fit better.",)


def test_each_doubt_is_a_sentence_and_none_is_said_twice() -> None:
    expected = Suggestion("", "", (), GROUPS[1:], 0.1)
    many = answer(
        replace(SPHERE, reduced_chisq=np.float64(0.05)), ROD, alike=("cylinder",), expected=expected,
        unanswered=("onion",), curve=replace(CURVE, q_unit=UNIT), verification=replace(GOOD, runs=-9.0),
    )  # fmt: skip
    found = doubts(many)
    assert len(found) == len(set(found)) > 3
    assert all(said.endswith(".") and "\n" not in said for said in found)


def test_lengths_of_molecules_are_said_to_be_such() -> None:
    stack = fitted("lamellar_stack_caille", thickness=p(2.0, 0.1), d_spacing=p(5.4, 0.05))
    assert doubts(answer(stack))[0].startswith(
        "The spacing, 5.400 ± 0.050 Å, is a length of atoms and molecules"
    )
    assert doubts(answer(fitted("sphere", radius=p(60.0, 0.5)))) == ()


def test_a_peak_whose_width_is_open_is_not_told_to_do_without_it() -> None:
    peak = fitted("broad_peak", peak_pos=p(0.1, 0.001, "1/Ang"), correlation_length=p(30.0, 90.0))
    said = doubts(answer(peak))[0]
    assert said.startswith("The correlation length is not determined")
    assert "without" not in said


def test_a_small_core_in_a_large_shell_is_no_molecule() -> None:
    shell = {"thickness": p(18.1, None, fixed=True), "weight": 0.9}
    small = fitted("vesicle", radius=p(1.73, 0.08), **shell)
    assert not [doubt for doubt in doubts(answer(small)) if "atoms" in doubt]
    tiny = fitted("sphere", radius=p(1.73, 0.08), weight=0.9)
    assert [doubt for doubt in doubts(answer(tiny)) if "atoms" in doubt]


def test_a_segment_of_a_chain_may_be_as_small_as_a_molecule() -> None:
    blend = fitted("rpa", b3=p(2.0, 0.1), b4=p(3.1, 0.1))
    assert not [doubt for doubt in doubts(answer(blend)) if "atoms" in doubt]


def test_residuals_far_below_estimated_errors_are_not_called_a_misfit() -> None:
    how = {"verification": replace(GOOD, runs=-5.6), "curve": replace(CURVE, dintensity=None)}
    exact = answer(replace(SPHERE, reduced_chisq=np.float64(2.6e-5)), **how)
    assert not [doubt for doubt in doubts(exact) if "runs test" in doubt]
    near = answer(replace(SPHERE, reduced_chisq=np.float64(0.8)), **how)
    assert [doubt for doubt in doubts(near) if "runs test" in doubt]


def test_residuals_that_neighbours_share_are_not_called_random() -> None:
    shared = replace(WRONG, runs=0.2, systematic={"relative": 0.2, "reach": 0.5})
    said = doubts(answer(SPHERE, verification=shared, verified=False))
    assert not [doubt for doubt in said if "random" in doubt]
    alone = replace(shared, systematic=None)
    assert [
        doubt for doubt in doubts(answer(SPHERE, verification=alone, verified=False)) if "random" in doubt
    ]


def test_a_search_that_ended_early_is_said_where_the_fit_needs_an_error_that_is_not_stated() -> None:
    excused = replace(WRONG, runs=0.2, systematic={"relative": 0.1, "reach": 0.5, "excuses": True})
    far = replace(SPHERE, reduced_chisq=9.0)
    late = answer(far, verification=excused, limit_met=True)
    assert doubts(late)[0].startswith("The time limit ended the search")
    assert "time limit" not in " ".join(doubts(replace(late, limit_met=False)))
    # What explains the data as they are stated is not shaken by what was not tried.
    assert "time limit" not in " ".join(doubts(answer(SPHERE, limit_met=True)))


def test_a_simpler_shape_that_the_data_do_not_reject_is_named() -> None:
    """A particle of two halves is in no library: several shapes come within its uncertainties."""
    layers = fitted("core_shell_ellipsoid", 1.0, thick_shell=p(41, 3), x_core=p(0.6, 0.1, ""), weight=1.0)
    spheres = fitted("sphere", 1.1, radius=p(50, 1), weight=0.0)
    known = Suggestion("", "", (), (), 0.9)
    (said,) = [one for one in doubts(answer(layers, spheres, expected=known)) if "simpler" in one]
    assert said == "A simpler shape, spheres, also fits the data (sphere, reduced χ² 1.1 instead of 1)."
    rejected = fitted("sphere", 2.0, radius=p(50, 1), weight=0.0)
    assert not [one for one in doubts(answer(layers, rejected, expected=known)) if "simpler" in one]
    # Without uncertainties χ² rejects nothing.
    unknown = answer(layers, spheres, expected=known, curve=replace(CURVE, dintensity=None))
    assert not [one for one in doubts(unknown) if "A simpler shape" in one]
