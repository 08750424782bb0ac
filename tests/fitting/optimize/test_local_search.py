"""Local refinement: to the minimum from afar, within what a user allows, and in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sasnet_plugin.fitting.ledger import read_spent_time
from sasnet_plugin.fitting.optimize.local_search import (
    LocalMinimum,
    Propose,
    Walk,
    count_lines,
    neighbour_search,
    other_counts,
    position_lines,
    propose_along,
    refine,
    restarts,
    scatter_values,
    size_lines,
)
from sasnet_plugin.fitting.problem.free_parameters import counts_of, sizes_of
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.settings import OPTIMIZE
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call, load_model
from sasnet_plugin.types import Curve

# --- Local refinement: to the minimum from afar, within what a user allows, and in time.

Simulated = Callable[..., Curve]
#: From afar.
FAR: dict[str, Any] = {"tolerances": (0.1, 0.02, 0.0), "steps": 12}


def curves_of(curve: Curve, name: str, **options: object) -> ModelCurves:
    assert curve.dintensity is not None
    return ModelCurves(curve, curve.dintensity, name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("radius", "length"), [(22.0, 350.0), (16.0, 600.0), (26.0, 300.0)])
def test_a_cylinder_is_found_from_where_levenberg_marquardt_is_lost(
    simulated: Simulated, radius: float, length: float
) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    found = refine(curves_of(curve, "cylinder"), {"radius": radius, "length": length}, **FAR)
    assert found is not None
    assert found.chisq / len(curve) < 1.3
    assert found.parameters["radius"] == pytest.approx(20.0, rel=0.02)
    assert found.parameters["length"] == pytest.approx(400.0, rel=0.05)


@settings(max_examples=10)
@given(scale=st.floats(1e-4, 1e5), background=st.floats(-0.3, 3.0))
def test_scale_and_background_are_solved_for_whatever_their_size(scale: float, background: float) -> None:
    """Too much may have been subtracted: the background may be negative."""
    q = np.geomspace(0.005, 0.3, 60)
    helper = ModelCurves(Curve(q, np.ones(60), np.ones(60)), np.ones(60), "sphere")
    (shape,) = helper.intensity({"radius": 60.0})
    intensity = scale * (shape + background * shape.min())
    curve = Curve(q, intensity, 0.01 * np.abs(scale * shape))
    residual, found, level = curves_of(curve, "sphere").solve({"radius": 60.0})
    assert np.max(np.abs(residual)) < 1e-3
    assert found == pytest.approx(scale, rel=1e-4)
    assert level == pytest.approx(background * scale * shape.min(), abs=1e-4 * scale * shape.min())


def test_fixed_parameters_and_ranges_are_kept(simulated: Simulated) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    helper = curves_of(
        curve, "cylinder", fixed=frozenset({"radius", "background"}), ranges={"length": (500.0, 600.0)}
    )
    found = refine(helper, {"radius": 23.0, "length": 550.0, "background": 0.02, "scale": 1.0}, **FAR)
    assert found is not None
    assert found.parameters["radius"] == 23.0
    assert found.parameters["background"] == 0.02
    assert 500.0 <= found.parameters["length"] <= 600.0


def test_out_of_time_it_keeps_the_best_point_seen(simulated: Simulated) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    helper = curves_of(curve, "cylinder")
    start = {"radius": 22.0, "length": 350.0}
    residual, _, _ = curves_of(curve, "cylinder").solve(start)
    for seconds in (0.0, 0.02):
        helper.deadline = read_spent_time() + seconds
        found = refine(helper, start, **FAR)
        assert found is not None
        assert found.chisq <= float(residual @ residual) * (1 + 1e-9)


def test_no_finite_curve_no_start(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    assert refine(curves_of(curve, "sphere"), {"radius": np.nan}, **FAR) is None


# --- Minima beside the one that a start leads to: sizes off by a fringe, whole numbers, and random
# --- starts.


def test_sizes_are_the_lengths_of_the_body_longest_first() -> None:
    info = load_model("cylinder@hardsphere").info
    values = {p.name: float(p.default) for p in info.parameters.call_parameters}
    found = sizes_of(load_model("cylinder").info, values | {"radius": 20.0, "length": 400.0}, frozenset())
    assert found == ["length", "radius"]
    assert sizes_of(load_model("cylinder").info, values, frozenset({"length"})) == ["radius"]
    assert sizes_of(load_model("lamellar_stack_caille").info, {"d_spacing": 60.0}, frozenset()) == [
        "d_spacing"
    ]


def fringed(values: dict[str, Any]) -> float:
    """Minima every 4 % of a length, ever lower towards 1000."""
    off = float(np.log(values["length"] / 1000.0))
    return 1.0 + abs(off) * 100 + 50 * float(np.sin(np.pi * off / np.log(1.04)) ** 2)


def test_the_least_of_many_minima_is_reached_and_then_nothing_more_is_tried() -> None:
    tried: list[float] = []

    def refine(start: dict[str, Any]) -> LocalMinimum:
        tried.append(start["length"])
        minimum = {"length": 1000.0 * 1.04 ** round(float(np.log(start["length"] / 1000.0) / np.log(1.04)))}
        return LocalMinimum(minimum, fringed(minimum))

    def scan(start: LocalMinimum) -> LocalMinimum:
        lines = size_lines(load_model("cylinder").info, frozenset({"radius"}))
        propose = propose_along(lines, lambda _: fringed)
        return neighbour_search(start, propose, refine, needed_fall=0.1, enough=1.5)[-1]

    best = scan(refine({"length": 1320.0}))
    assert best.parameters["length"] == pytest.approx(1000.0)
    count = len(tried)
    assert scan(best) is best
    assert len(tried) == count


def test_a_number_of_layers_changes_with_their_distance_so_that_the_stack_is_as_long() -> None:
    lines = count_lines(load_model("lamellar_stack_caille").info, frozenset())
    start = LocalMinimum({"Nlayers": 40.0, "d_spacing": 30.0, "thickness": 25.0}, 1e6)

    def misfit(values: dict[str, Any]) -> float:
        return abs(values["Nlayers"] - 20.0) + abs(values["d_spacing"] - 60.0)

    found = list(propose_along(lines, lambda _: misfit)(Walk(start)))
    assert found[0] == {"Nlayers": 20.0, "d_spacing": 60.0, "thickness": 25.0}


def test_a_peak_is_looked_for_at_every_place_as_wide_and_narrower() -> None:
    q = np.geomspace(0.003, 0.3, 100)
    start = {"peak_pos": 0.1, "correlation_length": 20.0, "width_exp": 6.0}
    lines = list(position_lines(load_model("broad_peak").info, frozenset(), q)(start))
    assert [line[0]["peak_pos"] for line in lines] == pytest.approx([0.003] * len(lines))
    assert [line[-1]["peak_pos"] for line in lines] == pytest.approx([0.3] * len(lines))
    for line, narrower in zip(lines, (1, 3, 10), strict=True):
        products = [values["peak_pos"] * values["correlation_length"] for values in line]
        assert products == pytest.approx([2.0 * narrower] * len(line))
    # What has no position has no such line, nor has a position that is given.
    assert not list(position_lines(load_model("sphere").info, frozenset(), q)({"radius": 50.0}))
    assert not list(position_lines(load_model("broad_peak").info, frozenset({"peak_pos"}), q)(start))
    (line, *_) = position_lines(load_model("gaussian_peak").info, frozenset(), q)(
        {"peak_pos": 0.05, "sigma": 0.005}
    )
    assert {round(values["sigma"] / values["peak_pos"], 9) for values in line} == {0.1}


def test_a_narrow_peak_on_a_steep_flank_is_found(bank: Bank) -> None:
    values = {
        "porod_scale": 5e-7, "porod_exp": 4.7, "peak_scale": 7e4, "correlation_length": 3450.0,
        "peak_pos": 0.0054, "width_exp": 2.0, "shape_exp": 1.27,
    }  # fmt: skip
    q = np.linspace(0.0028, 0.034, 74)
    clean = 1e-6 * call("broad_peak", q, values | {"background": 0.0}).intensity + 7e-5
    error = 0.003 * clean + 3e-7
    curve = Curve(q, clean + error * np.random.default_rng(3).normal(size=q.size), error)
    fit = fit_candidate(Task(curve, error, "broad_peak", None), bank, Budget())
    assert fit.reduced_chisq < 1.3
    assert fit.parameters["peak_pos"].value == pytest.approx(0.0054, rel=0.01)


def test_a_long_cylinder_is_found_among_its_fringes(bank: Bank) -> None:
    radius, length = 180.0, 985.0
    q = np.geomspace(0.001, 0.5, 200)
    clean = call("cylinder", q, {"radius": radius, "length": length}).intensity + 0.01
    sigma = 0.03 * clean
    noise = np.random.default_rng(5).standard_normal(q.size)
    curve = Curve(q, clean + sigma * noise, sigma, file="cylinder.dat")
    found = fit_candidate(Task(curve, sigma, "cylinder", None, budget=Budget(30.0)), bank)
    assert found.reduced_chisq < 1.5
    assert found.parameters["length"].value == pytest.approx(length, rel=0.02)
    assert found.parameters["radius"].value == pytest.approx(radius, rel=0.01)


def test_counts_are_those_of_the_body_not_of_its_parameters() -> None:
    def of(name: str) -> list[str]:
        info = load_model(name).info
        return counts_of(info, {p.name: p.default for p in info.parameters.call_parameters})

    assert of("lamellar_stack_paracrystal") == ["Nlayers"]
    assert of("multilayer_vesicle") == ["n_shells"]
    assert of("onion") == []  # n_shells says how many layers have parameters
    assert of("core_multi_shell") == []
    assert of("sphere") == []


def counts_proposed() -> Propose:
    return other_counts(load_model("multilayer_vesicle").info, frozenset())


def test_the_least_is_found_from_far_and_each_count_is_tried_once() -> None:
    tried: list[float] = []

    def refine(start: dict[str, Any]) -> LocalMinimum | None:
        tried.append(start["n_shells"])
        return None if start["n_shells"] > 80 else LocalMinimum(start, (start["n_shells"] - 37.0) ** 2 + 1.0)

    begin = LocalMinimum({"n_shells": 6.0}, 962.0)
    best = neighbour_search(begin, counts_proposed(), refine, needed_fall=0.0)[-1]
    assert best.parameters["n_shells"] == 37.0
    assert len(tried) == len(set(tried))


def test_a_count_that_fits_ever_better_the_larger_it_is_ends_at_what_sasmodels_itself_draws() -> None:
    """sasmodels' chains have 2 to 1,000 pearls; each one costs time."""
    begin = LocalMinimum({"n_shells": 264.0}, 1.0 + 1 / 264.0)
    found = neighbour_search(
        begin,
        counts_proposed(),
        lambda p: LocalMinimum(p, 1.0 + 1 / p["n_shells"]),
        needed_fall=0.0,
    )
    assert 500.0 < found[-1].parameters["n_shells"] <= 1000.0


def test_nothing_better_leaves_what_there_was() -> None:
    start = LocalMinimum({"n_shells": 5.0}, 1.0)
    assert neighbour_search(
        start,
        counts_proposed(),
        lambda p: LocalMinimum(p, 2.0),
    ) == [start]


def test_the_layers_of_a_stack_are_found(simulated: Callable[..., Curve], bank: Bank) -> None:
    truth = {"thickness": 40.0, "Nlayers": 8, "d_spacing": 180.0, "sigma_d": 0.12, "background": 0.01}
    curve = simulated("lamellar_stack_paracrystal", truth)
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, "lamellar_stack_paracrystal", None), bank)
    assert found.reduced_chisq < 1.4
    assert abs(found.parameters["Nlayers"].value - 8) <= 1
    assert abs(found.parameters["d_spacing"].value - 180.0) < 1.0


SHELLS = {
    "radius": 60.0,
    "thickness": 25.0,
    "sld_core": 1.0,
    "sld_shell": 3.0,
    "sld_solvent": 6.0,
    "radius_pd": 0.1,
    "radius_pd_type": "gaussian",
    "radius_pd_n": 15,
}


def test_starts_stay_within_limits_and_leave_what_is_fixed() -> None:
    info, rng = load_model("core_shell_sphere").info, np.random.default_rng(0)
    table = {p.name: p for p in info.parameters.call_parameters}
    fixed = frozenset({"radius", "sld_solvent", "background"})
    every = [scatter_values(info, SHELLS | {"background": 0.1}, rng, fixed, 15) for _ in range(500)]
    changed = {n for one in every for n in one if one[n] != (SHELLS | {"background": 0.1}).get(n)}
    assert fixed.isdisjoint(changed)
    assert {"thickness", "sld_core", "sld_shell"} <= changed
    for one in every:
        assert all(table[n].limits[0] <= one[n] <= table[n].limits[1] for n in ("thickness", "sld_core"))


def test_starts_are_with_a_distribution_and_without_as_a_user_lets_them() -> None:
    info, rng = load_model("core_shell_sphere").info, np.random.default_rng(1)
    every = [scatter_values(info, SHELLS, rng, frozenset(), 15) for _ in range(100)]
    wide = ["radius_pd" in one or "thickness_pd" in one for one in every]
    assert 30 < sum(wide) < 70
    given = [scatter_values(info, SHELLS, rng, frozenset({"radius_pd"}), 15) for _ in range(20)]
    assert {one["radius_pd"] for one in given} == {0.1}


def test_it_ends_where_nothing_is_left_to_look_for_and_where_the_time_is_up() -> None:
    info, calls = load_model("sphere").info, list[dict[str, Any]]()

    def found(
        enough: float, refine: Callable[[dict[str, Any]], LocalMinimum | None], in_vain: float = np.inf
    ) -> list[LocalMinimum]:
        calls.clear()
        start = LocalMinimum({"radius": 50.0, "sld": 1.0, "sld_solvent": 6.0}, 100.0)
        return restarts(
            info, [start], lambda p: calls.append(p) or refine(p), np.random.default_rng(2),
            fixed=frozenset(), points=15, is_enough=lambda minimum: minimum.chisq <= enough,
            going=lambda: len(calls) < 40, most_in_vain=in_vain,
        )  # fmt: skip

    # Each is a little better.
    better = found(10.0, lambda p: LocalMinimum(p, 100.0 * 0.8 ** len(calls)))
    assert better[0].chisq <= 10.0
    assert [f.chisq for f in better] == sorted(f.chisq for f in better)
    assert len(calls) == 11
    assert len(found(10.0, lambda p: None)) == 1
    assert len(calls) == 40
    # The first is lower, the rest end elsewhere, or where it has, which says more.
    assert found(10.0, lambda p: LocalMinimum(p, 90.0 + (len(calls) > 1)), in_vain=7)[0].chisq == 90.0
    assert len(calls) == 8
    assert found(10.0, lambda p: LocalMinimum(p, 90.0), in_vain=7)[0].chisq == 90.0
    assert len(calls) == 1 + math.ceil(7 / OPTIMIZE.agreeing)


SLDS = {"sld_core": 1.0, "sld_shell": 4.0, "sld_solvent": 6.3}
TURNED = {"sld_core": 4.0, "sld_shell": 1.0}


@pytest.mark.parametrize(
    ("model", "truth", "caught"),
    [
        # Core and shell have changed places, in size and in contrast.
        (
            "core_shell_sphere",
            {"radius": 40.0, "thickness": 90.0, **SLDS},
            {"radius": 90.0, "thickness": 40.0, **TURNED},
        ),
        (
            "core_shell_cylinder",
            {"radius": 20.0, "thickness": 40.0, "length": 400.0, **SLDS},
            {"radius": 40.0, "thickness": 20.0, "length": 100.0, **TURNED},
        ),
        # Prolate and oblate.
        (
            "ellipsoid",
            {"radius_polar": 200.0, "radius_equatorial": 40.0},
            {"radius_polar": 15.0, "radius_equatorial": 120.0},
        ),
    ],
)
def test_a_fit_in_another_minimum_reaches_the_truth(
    simulated: Callable[..., Curve], bank: Bank, model: str, truth: dict[str, float], caught: dict[str, float]
) -> None:
    curve = simulated(model, truth | {"background": 0.01})
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, model, None, budget=Budget(30.0))
    free = fit_candidate(replace(task, extra=truth | caught, restarts=np.inf), bank)
    assert free.reduced_chisq < 1.3
    for name in caught.keys() - TURNED.keys():
        assert free.parameters[name].value == pytest.approx(truth[name], rel=0.05)
