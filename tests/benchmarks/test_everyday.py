"""Everyday curves are physics, and an answer that is wrong is called so."""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
import pytest

from benchmarks.common import run_command
from benchmarks.fitting.everyday import numbers_of
from benchmarks.fitting.everyday_curves import CHANGE, SAMPLES, Measured, clean, everyday
from benchmarks.fitting.everyday_judged import faults, wrong_sizes
from benchmarks.fitting.everyday_models import MODELS, defaults, precise

N = 100


def test_a_peak_is_widened_by_the_resolution() -> None:
    q = np.linspace(0.03, 0.09, 61)
    values = {"scale": 10.0, "peak_pos": 0.06, "sigma": 0.006, "background": 0.5}
    dq = np.full(61, 0.004)
    width = np.hypot(0.006, 0.004)
    smeared = 10 * 0.006 / width * np.exp(-((q - 0.06) ** 2) / 2 / width**2) + 0.5
    inner = slice(10, 51)
    # sasmodels cuts the distribution of q at -2.5 and +3 of its widths.
    assert clean("gaussian_peak", values, q, dq)[inner] == pytest.approx(smeared[inner], rel=0.05)
    peak = 10 * np.exp(-((q - 0.06) ** 2) / 2 / 0.006**2) + 0.5
    assert clean("gaussian_peak", values, q, None) == pytest.approx(peak, rel=1e-6)


def test_noise_is_as_large_as_stated() -> None:
    chisq = [everyday(index, seed).chisq for index in (7, 10, 15) for seed in range(10)]
    assert np.mean(chisq) == pytest.approx(120, abs=4 * np.sqrt(240 / len(chisq)))


def test_samples_differ_by_a_tenth_and_a_seed_gives_the_same_again() -> None:
    first, other = everyday(0, 1), everyday(0, 2)
    assert np.array_equal(first.intensity, everyday(0, 1).intensity)
    assert first.values["radius"] != other.values["radius"]
    assert abs(first.values["radius"] / SAMPLES[0].values["radius"] - 1) <= CHANGE
    assert first.values["sld_solvent"] == SAMPLES[0].values["sld_solvent"]


def test_every_everyday_curve_can_be_measured() -> None:
    for index, sample in enumerate(SAMPLES):
        given = everyday(index, 1, points=30)
        assert given.model == sample.model
        assert np.all(np.isfinite(given.intensity))
        assert np.all(given.expected > 0)


@pytest.mark.parametrize("index", range(len(MODELS)))
def test_precise_data_of_every_model(index: int) -> None:
    first, drawn = precise(index, 1), precise(index + 3 * len(MODELS), 1)
    own = {name: value for name, value in defaults(first.model).items() if value != float("inf")}
    assert first.values == own
    for name, (low, high) in MODELS[first.model].items():
        assert low <= drawn.values[name] <= high
    for given in (first, drawn):
        assert np.all(given.expected > 0)
        assert np.all(
            (given.dintensity / given.expected >= 0.003) & (given.dintensity / given.expected <= 0.005)
        )


@pytest.fixture
def given() -> Measured:
    q = np.geomspace(0.01, 0.3, N)
    flat = np.ones(N)
    values = {"radius": 50.0, "thickness": 10.0, "scale": 0.01}
    return Measured("core_shell_sphere", values, q, flat, 0.01 * flat, 0.05 * q, flat)


def _fit(model: str, weight: float = 1.0, chisq: float = 0.0, **values: Any) -> dict[str, Any]:
    parameters = {
        name: {"value": value, "error": error, "unit": unit, "fixed": error is None}
        for name, (value, error, unit) in values.items()
    }
    free = sum(not p["fixed"] for p in parameters.values())
    return {
        "model": model, "structure_factor": None, "weight": weight, "reduced_chisq": chisq / (N - free),
        "parameters": parameters,
    }  # fmt: skip


@pytest.fixture
def right() -> dict[str, Any]:
    fit = _fit(
        "core_shell_sphere",
        radius=(50.3141, 0.2, "Ang"), thickness=(9.9271, 0.1, "Ang"), scale=(0.010123, 1e-5, ""),
    )  # fmt: skip
    return {"headline": "core_shell_sphere: radius 50.3 Å.", "doubts": [], "fits": [fit]}


def _kinds(answer: dict[str, Any], given: Measured) -> list[str]:
    return [fault.partition(":")[0] for fault in faults(answer, given)]


def test_a_right_answer_has_no_fault(right: dict[str, Any], given: Measured) -> None:
    assert faults(right, given) == []
    assert _kinds({}, given) == ["answer"]


def test_a_size_off_by_more_than_three_errors(right: dict[str, Any], given: Measured) -> None:
    right["fits"][0]["parameters"]["thickness"]["value"] = 10.4012
    assert _kinds(right, given) == ["size"]
    right["fits"][0]["parameters"]["thickness"]["error"] = 0.2
    assert faults(right, given) == []


def test_chisq_far_above_the_truth(right: dict[str, Any], given: Measured) -> None:
    limit = 3 * np.sqrt(2 * N)
    for chisq, found in ((limit - 0.1, []), (limit + 0.1, ["chisq"])):
        right["fits"][0]["reduced_chisq"] = chisq / (N - 3)
        assert _kinds(right, given) == found


def test_another_model_first_is_right_only_where_the_true_one_is_tied(
    right: dict[str, Any], given: Measured
) -> None:
    true, first = right["fits"][0], _fit("vesicle", 0.95, radius=(40.1234, 1.0, "Ang"))
    answer = right | {"fits": [first, true], "headline": "vesicle: radius 40.1 Å."}
    true["weight"] = 0.04
    assert _kinds(answer, given) == ["model"]
    true["weight"] = 0.10
    assert faults(answer, given) == []
    true["weight"] = 0.0
    for said in (
        {"headline": "vesicle-like; core_shell_sphere and vesicle cannot be told from it here."},
        {"doubts": ["onion and core_shell_sphere fit as well"]},
        {"tied": ["core_shell_sphere"]},
    ):
        assert faults(answer | said, given) == []
    other = answer | {"doubts": ["onion fits as well", "core_shell_sphere has 1 % of the evidence"]}
    assert _kinds(other, given) == ["model"]
    assert _kinds(answer | {"doubts": ["core_shell_sphere@hardsphere fits as well"]}, given) == ["model"]


@pytest.mark.parametrize(
    ("name", "value", "error", "unit", "absurd"),
    [
        ("correlation_length", -59.9123, 0.5, "Ang", True),
        ("rg", -59.9123, 500.0, "Ang", True),
        ("volfraction", 1.2345, 0.01, "", True),
        ("A_volfraction", 0.31234, 0.01, "", False),
        ("sld_core", -1.0, 0.1, "1e-6/Ang^2", True),
        ("sld_core", -1.0, 4.0, "1e-6/Ang^2", False),
        ("sld_core", -0.9876543, 0.1, "1e-6/Ang^2", False),
        ("background", -0.00123456, 1e-5, "1/cm", False),
    ],
)
def test_absurd_values(
    right: dict[str, Any], given: Measured, name: str, value: float, error: float, unit: str, absurd: bool
) -> None:
    answer = copy.deepcopy(right)
    answer["fits"][0]["parameters"][name] = {"value": value, "error": error, "unit": unit, "fixed": False}
    assert _kinds(answer, given) == (["absurd"] if absurd else [])
    answer["fits"][0]["parameters"][name]["fixed"] = True
    assert faults(answer, given) == []


def test_which_edge_is_called_a_is_a_convention() -> None:
    q = np.geomspace(0.01, 0.3, N)
    values = {"length_a": 30.0, "length_b": 70.0, "length_c": 220.0}
    given = Measured("parallelepiped", values, q, q, q, None, q)
    edges = {"length_c": (30.1, 0.1, "Ang"), "length_a": (70.1, 0.1, "Ang"), "length_b": (219.0, 1.0, "Ang")}
    assert wrong_sizes(_fit("parallelepiped", **edges), given) == []
    edges["length_b"] = (200.0, 1.0, "Ang")
    assert len(wrong_sizes(_fit("parallelepiped", **edges), given)) == 1


def test_thirds_are_all_curves_once_and_others_with_each_seed() -> None:
    thirds = [numbers_of(30, third, None, 1) for third in range(3)]
    assert sorted(sum(thirds, [])) == list(range(30))
    over_seeds = [i for seed in (1, 2, 3) for i in numbers_of(30, 0, None, seed)]
    assert sorted(over_seeds) == list(range(30))
    assert numbers_of(30, None, [3, 5], 1) == [3, 5]


def test_cpu_time_of_a_command_counts_what_it_starts() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass\nprint('burnt')"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    seconds, _, text = run_command([sys.executable, "-c", start])
    assert text == "burnt\n"
    assert 0.4 <= seconds < 1.5
    waiting, *_ = run_command([sys.executable, "-c", "import time; time.sleep(0.6)"])
    assert waiting < 0.4


def test_typical_values_are_within_sasmodels_limits() -> None:
    from sasmodels.core import load_model_info

    for name, ranges in MODELS.items():
        limits = {p.name: p.limits for p in load_model_info(name).parameters.call_parameters}
        for parameter, (low, high) in ranges.items():
            least, most = limits.get(parameter, (0.0, np.inf))
            assert least <= low < high <= most, f"{name}: {parameter}"
