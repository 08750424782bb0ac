"""Warnings in words: raised where they are due, naming parameter, value and unit, and not elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.assess import as_the_simpler
from sasnet_plugin.fitting.assessment.diagnostics import remarks_of, together, warnings_of
from sasnet_plugin.fitting.problem.conventions import conventional
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]
N = 80
Q = np.geomspace(0.01, 0.3, N)
CURVE = Curve(Q, 1 / Q, 0.01 / Q)


def _p(
    value: float, error: float | None = None, low: float = 0.0, high: float = np.inf, unit: str = "Ang"
) -> Parameter:
    return Parameter(value, error, unit, False, low, high)


def _fit(model: str, factor: str | None = None, **parameters: Parameter) -> ModelFit:
    common = {"scale": _p(1.0, 0.01, unit=""), "background": _p(0.01, 0.001, -np.inf, unit="1/cm")}
    return ModelFit(model, factor, common | parameters, {}, 80.0, 1.0, 90.0, 0.5, 0.1, 1 / Q)


def _said(fit: ModelFit, *words: str) -> bool:
    return any(all(word in sentence for word in words) for sentence in warnings_of(CURVE, fit))


def test_a_good_fit_has_no_warning(simulated: Simulated, bank: Bank) -> None:
    for model, truth in (
        ("sphere", {"radius": 80.0}),
        ("cylinder", {"radius": 20.0, "length": 300.0}),
        ("core_shell_sphere", {"radius": 60.0, "thickness": 20.0}),
    ):
        curve = simulated(model, truth | {"background": 0.01})
        assert curve.dintensity is not None
        found = fit_candidate(Task(curve, curve.dintensity, model, None), bank)
        assert warnings_of(curve, conventional(found)) == ()


@pytest.mark.parametrize(("model", "parameter"), [("vesicle", "radius"), ("fuzzy_sphere", "fuzziness")])
def test_a_sphere_fitted_by_more_than_a_sphere_is_seen_to_be_one(
    simulated: Simulated, bank: Bank, model: str, parameter: str
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, model, None), bank)
    said = [s for s in warnings_of(curve, found) if "sphere gives the same curve with fewer parameters" in s]
    assert len(said) == 1
    assert said[0].startswith(parameter)
    assert " Å" in said[0]


def test_a_limit_with_a_simpler_model_behind_it_and_one_without() -> None:
    at_one = _fit("elliptical_cylinder", radius_minor=_p(20.0, 0.1), axis_ratio=_p(1.0, 0.2, 1.0, 30.0, ""),
                  length=_p(400.0, 5.0))  # fmt: skip
    assert _said(at_one, "axis_ratio is at its lower limit, 1", "cylinder gives the same curve")
    away = replace(at_one, parameters={**at_one.parameters, "axis_ratio": _p(1.5, 0.1, 1.0, 30.0, "")})
    assert warnings_of(CURVE, away) == ()
    # sasmodels holds the volume fraction of its square well below 0.08: nothing lies beyond.
    well = _fit("sphere", "squarewell", volfraction=_p(0.08, 0.007, 0.0, 0.08, ""))
    assert _said(well, "volfraction is at the upper limit of its range, 0.08", "another model may be right")
    top = _fit("sphere", radius=_p(199.99, 0.5, 10.0, 200.0))
    assert _said(top, "radius is at the upper limit of its range, 200 Å: the best value may lie beyond")
    assert not _said(_fit("sphere", radius=_p(150.0, 0.5, 10.0, 200.0)), "limit")


def test_contrasts_that_are_one_and_neighbours_that_are_none() -> None:
    slds = {
        "sld_core": _p(2.40, 0.04, -12, 17, "1e-6/Ang^2"),
        "sld_solvent": Parameter(6.0, None, "1e-6/Ang^2", True, 6, 6),
    }
    slds["sld_shell"] = Parameter(2.41, None, "1e-6/Ang^2", True, 2.41, 2.41)
    matched = _fit("core_shell_sphere", radius=_p(20.0, 30.0), thickness=_p(60.0, 30.0), **slds)
    assert _said(matched, "sld_shell", "as good as sld_core", "10⁻⁶ Å⁻²", "sphere gives the same curve")
    assert not _said(matched, "not determined")  # the reason is given already
    dilute = _fit("sphere", "hardsphere", radius=_p(80.0, 0.1), volfraction=_p(0.001, 0.002, 0.0, 0.74, ""))
    assert _said(dilute, "volfraction", "cannot be distinguished from 0", "sphere gives the same curve")


def test_a_sphere_with_one_of_several_shells_counts_as_a_core_shell_sphere() -> None:
    slds = {"sld_core": _p(0.5, 0.1, -12, 17), "sld_solvent": _p(-0.56, None, -12, 17)}
    shells = {"radius": _p(42.0, 2.0), "thickness1": _p(12.0, 2.0), "sld1": _p(3.6, 0.3, -12, 17), **slds}
    shell = {"thickness": _p(20.0, 2.0), "sld_shell": _p(2.8, 0.1, -12, 17)}
    simple = _fit("core_shell_sphere", radius=_p(34.0, 2.0), **shell, **slds)

    def weights(n: float) -> list[float]:
        many = _fit("core_multi_shell", n=replace(_p(n, unit=""), fixed=True), **shells)
        return [
            fit.weight for fit in as_the_simpler([replace(many, weight=0.7), replace(simple, weight=0.3)])
        ]

    assert weights(1.0) == [1.0, 0.0]
    assert weights(2.0) == [0.7, 0.3]


@pytest.mark.parametrize(
    ("fit", "words"),
    [
        (
            _fit("sphere", "hardsphere", radius=_p(50.0, 0.1), volfraction=_p(0.8, 0.01, 0.0, 1.0, "")),
            ("volfraction, 0.8", "more than spheres can fill"),
        ),
        (_fit("sphere", radius=_p(4000.0, 900.0)), ("radius", "larger than these data show", "314 Å")),
        (
            _fit("cylinder", radius=_p(1.5, 0.4), length=_p(80.0, 1.0)),
            ("radius", "smaller than these data show"),
        ),
        (
            _fit("cylinder", radius=_p(20.0, 0.1), length=_p(200.0, 350.0)),
            ("length, 200 ± 350 Å", "not determined"),
        ),
        (
            _fit("lamellar_hg", length_tail=_p(15.0, 0.1), length_head=_p(0.3, 0.01)),
            ("length_head, 0.3 Å", "atom"),
        ),
        (
            _fit("sphere", radius=_p(80.0, 1.0), radius_pd=_p(0.6, 0.02, 0.0, 0.7, "")),
            ("radius_pd, 0.6", "broad"),
        ),
        (_fit("sphere", radius=_p(80.0, 1.0), scale=_p(0.0, 0.1, unit="")), ("scale, 0", "not positive")),
        (
            _fit("sphere", radius=_p(80.0, 1.0), background=_p(-0.5, 0.01, -np.inf, unit="1/cm")),
            ("background, -0.500 ± 0.010 cm⁻¹", "negative"),
        ),
        (
            _fit("sphere", radius=_p(80.0, 1.0), background=_p(200.0, 1.0, -np.inf, unit="1/cm")),
            ("background, 200 cm⁻¹", "only 0 of 80 points"),
        ),
    ],
)
def test_values_that_no_sample_has(fit: ModelFit, words: tuple[str, ...]) -> None:
    assert _said(fit, *words)


def test_a_disc_is_a_remark_and_no_doubt() -> None:
    disc = _fit("cylinder", radius=_p(90.0, 0.5), length=_p(12.0, 0.2))
    assert warnings_of(CURVE, disc) == ()
    (said,) = remarks_of(disc)
    assert all(word in said for word in ("length, 12 Å", "radius, 90 Å", "disc"))


def test_what_the_table_refutes_is_not_said() -> None:
    """Apoferritin: volfraction could not be told from 0, but the model without S(q) was far worse."""
    dilute = _fit("sphere", "hardsphere", radius=_p(80.0, 0.1), volfraction=_p(0.001, 0.002, 0.0, 0.74, ""))
    assert (
        "sphere gives the same curve with fewer parameters, but it was not fitted."
        in warnings_of(CURVE, dilute)[0]
    )
    plain = replace(_fit("sphere", radius=_p(80.0, 0.1)), chisq=dilute.chisq + 1)
    assert (
        "sphere gives the same curve with fewer parameters." in warnings_of(CURVE, dilute, [dilute, plain])[0]
    )
    assert not any("sphere" in s for s in warnings_of(CURVE, dilute, [replace(plain, chisq=300.0)]))


def test_three_that_move_together_are_named_as_three() -> None:
    """The sum of three slopes is known, and the background; none of the three."""
    rng = np.random.default_rng(5)
    slopes = np.log(Q) + 0.01 * rng.standard_normal((3, N))
    names = ("scale", "volfraction", "stickiness")
    fit = _fit(
        "sphere", "stickyhardsphere", volfraction=_p(0.3, 0.1, unit=""), stickiness=_p(0.2, 0.1, unit="")
    )
    fit = replace(fit, derivatives={**dict(zip(names, slopes, strict=True)), "background": 1 / Q})
    fit = replace(fit, correlations={("scale", "volfraction"): -0.97})
    assert set(together(fit)[0]) == set(names)
    said = [s for s in warnings_of(CURVE, fit) if "are strongly correlated" in s]
    assert len(said) == 1
    assert said[0].startswith("scale, volfraction and stickiness are strongly correlated: ")


def test_what_the_user_fixed_has_no_warning() -> None:
    fixed = Parameter(0.3, None, "Ang", True, 0.3, 0.3)
    assert warnings_of(CURVE, _fit("sphere", radius=fixed)) == ()


def test_a_pair_that_moves_together_is_named_and_once() -> None:
    fit = _fit("flexible_cylinder", length=_p(600.0, 50.0), kuhn_length=_p(100.0, 9.0), radius=_p(20.0, 0.1))
    tied = replace(fit, correlations={("length", "kuhn_length"): -0.993})
    assert _said(tied, "length and kuhn_length (-0.993)")
    assert len(warnings_of(CURVE, tied)) == 1
    assert warnings_of(CURVE, fit) == ()


def test_a_length_that_no_data_show_makes_no_other_one_small() -> None:
    """Beside a correlation length of 17,000 Å that the data left open, every radius was said to be 0."""
    size = {"A_radius": _p(50.0, 1.0, 0.0), "A_thickness": _p(18.0, 1.0, 0.0)}
    open_length = Parameter(17136.0, None, "Ang", True, 1.0, 20000.0)
    assert not _said(_fit("vesicle+lorentz", **size, B_cor_length=open_length), "distinguished from 0")
    gone = {"A_radius": _p(0.1, 1.0, 0.0), "A_thickness": _p(18.0, 1.0, 0.0)}
    assert _said(_fit("vesicle+lorentz", **gone, B_cor_length=open_length), "distinguished from 0")


def test_an_attraction_that_the_data_do_not_show_is_none() -> None:
    size = {"radius": _p(80.0, 0.5), "volfraction": _p(0.1, 0.01, 0.0, 0.5, "")}
    deep = _fit("sphere", "squarewell", **size, welldepth=_p(1.1, 17.0, 0.0, 1.5, "kT"))
    weak = _fit("sphere", "stickyhardsphere", **size, stickiness=_p(2.0, 3.0, 0.0, 10.0, ""))
    hard = _fit("sphere", "hardsphere", **size)
    words = "show no attraction, and sphere@hardsphere gives the same curve"
    for fit, value in ((deep, "distinguished from 0"), (weak, "distinguished from infinity")):
        assert any(words in said and value in said for said in warnings_of(CURVE, fit, [fit, hard]))
        # Nothing is said that the table refutes; the value is open all the same.
        refuting = replace(hard, chisq=130.0, reduced_chisq=1.7)
        (said,) = warnings_of(CURVE, fit, [fit, refuting])
        assert said.endswith("is not determined by these data: fix it, or use a model without it.")
    sure = _fit("sphere", "stickyhardsphere", **size, stickiness=_p(0.1, 0.04, 0.0, 10.0, ""))
    assert warnings_of(CURVE, sure, [sure, hard]) == ()


def test_a_width_that_may_be_none_and_a_value_that_may_be_any() -> None:
    wide = _fit("sphere", radius=_p(80.0, 0.5), radius_pd=_p(0.05, 0.08, 0.0, 0.7, ""))
    gel = _fit("gauss_lorentz_gel", gauss_scale=_p(-17.5, 0.8, -np.inf, unit=""))
    assert _said(gel, "gauss_scale, -17.5, is negative")
    covered = _fit("raspberry", surface_fraction=_p(1.26, 0.1, -np.inf, unit=""))
    assert _said(covered, "surface_fraction, 1.26, is no fraction")
    assert _said(wide, "radius_pd, 0.050 ± 0.080, cannot be distinguished from 0: one size without a")
    scale = _fit("sphere", radius=_p(80.0, 0.5))
    scale = replace(scale, parameters={**scale.parameters, "scale": _p(74.0, 6500.0, unit="")})
    assert _said(scale, "scale, 100 ± 6500, is not determined by these data")


def test_two_contrasts_that_are_one_beside_a_worse_fit_without_the_step() -> None:
    slds = {
        "sld_core": _p(10.0, 0.4, -12, 17, "1e-6/Ang^2"),
        "sld_shell": Parameter(9.96, None, "1e-6/Ang^2", True, 9.96, 9.96),
        "sld_solvent": Parameter(3.0, None, "1e-6/Ang^2", True, 3.0, 3.0),
    }
    fit = _fit("core_shell_sphere", radius=_p(400.0, 30.0), thickness=_p(4600.0, 90.0), **slds)
    sphere = replace(_fit("sphere", radius=_p(4980.0, 1.0)), chisq=190.0, reduced_chisq=2.45)
    (said,) = warnings_of(CURVE, replace(fit, parameters=fit.parameters), [fit, sphere])[:1]
    assert said.startswith("sld_shell and sld_core agree within their errors, but sphere fits worse")
    other = replace(sphere, chisq=9e4, reduced_chisq=1030.0)  # for another reason
    assert not any("are one" in said for said in warnings_of(CURVE, fit, [fit, other]))
    same = replace(sphere, chisq=80.0, reduced_chisq=1.0)
    assert not any("are one" in said for said in warnings_of(CURVE, fit, [fit, same]))
