"""Regions without a model against curves of formulas: their kind, their values within their errors."""

from __future__ import annotations

import json
import math
from typing import TypeVar

import numpy as np
import pytest
from bodies import Array, measured

from sasnet_plugin.model_free.region_results import (
    FlatBackground,
    FlatRegion,
    GuinierKnee,
    PeakRegion,
    PowerLaw,
    Regions,
)  # fmt: skip
from sasnet_plugin.types import Curve

Q = np.geomspace(1e-3, 0.5, 300)


def guinier_porod(q: Array, rg: float, power: float) -> Array:
    """B. Hammouda, J. Appl. Cryst. 43 (2010) 716, eqs. 3 and 4, of a globule."""
    crossover = math.sqrt(3 * power / 2) / rg
    porod = np.exp(-power / 2) * crossover**power * q**-power
    return np.where(q <= crossover, np.exp(-((q * rg) ** 2) / 3), porod)


def unified(q: Array, levels: list[tuple[float, float, float, float]]) -> Array:
    """G, Rg, B, P of each level, the largest first (G. Beaucage, J. Appl. Cryst. 28 (1995) 717, eq. 14)."""
    erf = np.vectorize(math.erf)
    total = np.zeros_like(q)
    for k, (g, rg, b, power) in enumerate(levels):
        smaller = levels[k + 1][1] if k + 1 < len(levels) else 0.0
        law = b * (erf(q * rg / math.sqrt(6)) ** 3 / q) ** power
        total += g * np.exp(-((q * rg) ** 2) / 3) + law * np.exp(-((q * smaller) ** 2) / 3)
    return total


Kind = TypeVar("Kind", PowerLaw, GuinierKnee, PeakRegion)


def of_kind(regions: Regions, kind: type[Kind]) -> list[Kind]:
    return [region for region in regions.regions if isinstance(region, kind)]


@pytest.mark.parametrize(("rg", "power"), [(40.0, 4.0), (90.0, 3.0)])
def test_a_globule_has_a_plateau_a_knee_and_a_power_law(rg: float, power: float) -> None:
    regions = measured(Q, 5 * guinier_porod(Q, rg, power)).regions()
    assert [type(region) for region in regions.regions] == [FlatRegion, GuinierKnee, PowerLaw]
    plateau, knee, law = regions.regions
    assert isinstance(plateau, FlatRegion)
    assert isinstance(knee, GuinierKnee)
    assert isinstance(law, PowerLaw)
    assert plateau.level == pytest.approx(5, abs=3 * plateau.level_error)
    assert knee.rg == pytest.approx(rg, abs=2 * knee.rg_error)
    assert knee.rg_error < 0.06 * rg
    assert law.exponent == pytest.approx(power, abs=3 * law.exponent_error)
    assert law.exponent_error < 0.1
    assert plateau.q_max == knee.q_min < 1 / rg < knee.q_max == law.q_min


def test_two_levels_have_two_knees_and_are_starting_values_of_the_unified_equation() -> None:
    large, small = (1000.0, 300.0, 6e-4, 2.6), (5.0, 20.0, 1e-4, 4.0)
    regions = measured(Q, unified(Q, [large, small]) + 1e-4).regions()
    knees = of_kind(regions, GuinierKnee)
    assert len(knees) == len(regions.levels) == 2
    for knee, level, (g, rg, _, power) in zip(knees, regions.levels, (large, small), strict=True):
        assert knee.rg == pytest.approx(rg, abs=3 * knee.rg_error)
        assert level.rg == pytest.approx(rg, rel=0.1)
        assert level.g == pytest.approx(g, rel=0.2)
        assert level.power == pytest.approx(power, abs=0.4)


def test_a_power_law_ends_in_a_flat_background() -> None:
    regions = measured(Q, 1e-7 * Q**-4.0 + 0.1).regions()
    law, background = regions.regions
    assert isinstance(law, PowerLaw)
    assert isinstance(background, FlatBackground)
    assert law.exponent == pytest.approx(4, abs=3 * law.exponent_error)
    assert background.level == pytest.approx(0.1, abs=3 * background.level_error)
    # They are equal at 0.032 Å⁻¹.
    assert 0.032 < background.q_min < 0.06
    assert law.q_max <= background.q_min


def test_a_peak_above_a_background_has_its_place_and_width() -> None:
    curve = measured(Q, np.exp(-(((Q - 0.05) / 0.008) ** 2) / 2) + 0.05 + 1e-8 * Q**-3.0)
    (peak,) = of_kind(curve.regions(), PeakRegion)
    assert peak.q == pytest.approx(0.05, abs=3 * peak.q_error)
    assert peak.width == pytest.approx(0.008 * math.sqrt(8 * math.log(2)), rel=0.05)
    assert peak.height == pytest.approx(1.05, rel=0.05)


def test_a_crossover_is_the_sum_of_two_power_laws_and_no_third_one() -> None:
    laws = of_kind(measured(Q, 1e-9 * Q**-4.0 + 2e-2 * Q**-1.0).regions(), PowerLaw)
    assert len(laws) == 2
    for law, power in zip(laws, (4.0, 1.0), strict=True):
        assert law.exponent == pytest.approx(power, abs=3 * law.exponent_error + 0.02)


def test_values_follow_the_units_of_q_and_intensity() -> None:
    curve = measured(Q, 5 * guinier_porod(Q, 40.0, 4.0))
    assert curve.dintensity is not None
    other = Curve(Q / 10, 1e6 * curve.intensity, 1e6 * curve.dintensity)
    (one,), (same,) = (of_kind(c.regions(), GuinierKnee) for c in (curve, other))
    assert same.rg == pytest.approx(10 * one.rg, rel=0.01)
    assert same.g == pytest.approx(1e6 * one.g, rel=0.01)


def test_missing_and_understated_uncertainties_change_little() -> None:
    honest = measured(Q, 5 * guinier_porod(Q, 40.0, 4.0))
    assert honest.dintensity is not None
    for error in (None, honest.dintensity / 5):
        regions = Curve(Q, honest.intensity, error).regions()
        (knee,), (law,) = of_kind(regions, GuinierKnee), of_kind(regions, PowerLaw)
        assert knee.rg == pytest.approx(40, abs=3 * knee.rg_error)
        assert law.exponent == pytest.approx(4, abs=3 * law.exponent_error + 0.05)


def test_nothing_is_said_of_noise_or_too_few_points() -> None:
    rng = np.random.default_rng(0)
    for points in (3, 40, 200):
        q = np.geomspace(0.01, 0.3, points)
        regions = Curve(q, rng.standard_normal(points), np.ones(points)).regions()
        assert not of_kind(regions, GuinierKnee)
        assert not of_kind(regions, PeakRegion)
    assert Curve(q, np.zeros(points)).regions().lines() == ("Regions: none, too few significant points.",)


def test_the_answer_is_json_and_a_table() -> None:
    regions = measured(Q, 5 * guinier_porod(Q, 40.0, 4.0)).regions()
    listed = json.loads(json.dumps(regions.as_dict()))["regions"]
    assert [one["kind"] for one in listed] == ["plateau", "Guinier knee", "power law"]
    assert listed[1]["rg"] == pytest.approx(40, rel=0.05)
    assert "Guinier knee" in repr(regions)
    assert "Rg 4" in repr(regions) or "Rg 3" in repr(regions)


def test_a_slit_is_mentioned() -> None:
    clean = measured(Q, 5 * guinier_porod(Q, 40.0, 4.0))
    smeared = Curve(Q, clean.intensity, clean.dintensity, dxl=np.full(Q.size, 0.05))
    assert "slit-smeared" in smeared.regions().lines()[0]
    assert smeared.regions().as_dict()["slit_smeared"]
