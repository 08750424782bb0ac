"""Curves of one sample: what their file says, which kind they are, and what does not go together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data.sample.described import read_description, sample_of
from sasnet_plugin.data.sample.kind import kind_by_look
from sasnet_plugin.data.sample.sample import (
    CONCENTRATIONS,
    CONTRASTS,
    PROBES,
    SETTINGS,
    Sample,
)
from sasnet_plugin.materials import densities
from sasnet_plugin.types import Curve, DataError
from sasnet_plugin.units import QUnit

Q = np.geomspace(0.005, 0.3, 60)


def sphere(q: np.ndarray, radius: float) -> np.ndarray:
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def curve(
    intensity: np.ndarray, name: str, q: np.ndarray = Q, error: float = 0.01, background: float = 0.01
) -> Curve:
    measured = intensity + background
    noise = np.random.default_rng(len(name) + int(100 * q[0])).standard_normal(q.size)
    return Curve(q, measured * (1 + error * noise), error * measured, file=name)


def core_shell(core: float, shell: float) -> np.ndarray:
    """Squared amplitude of a core of 40 Å in a shell of 20 Å, with contrasts to the solvent."""
    inner, outer = np.sqrt(sphere(Q, 40.0)), np.sqrt(sphere(Q, 60.0))
    return ((core - shell) * 40**3 * inner + shell * 60**3 * outer) ** 2 / 60**6


def contrasts() -> list[Curve]:
    return [curve(core_shell(c, s), f"{c:g}.dat") for c, s in ((1.0, 3.0), (-2.0, 0.5), (-6.0, -4.0))]


def test_settings_are_told_by_their_overlap() -> None:
    near, far = np.geomspace(0.02, 0.3, 50), np.geomspace(0.003, 0.05, 50)
    found = sample_of(
        [curve(sphere(far, 60), "far.dat", far), curve(1.05 * sphere(near, 60), "near.dat", near)]
    )
    assert found.kind == SETTINGS
    assert not found.told


def test_other_contrasts_are_told_by_their_shape() -> None:
    assert sample_of(contrasts()).kind == CONTRASTS


def test_dilution_with_another_background_is_told_by_one_shape_at_high_q() -> None:
    factor = 1 / (1 + 3 * np.exp(-((Q / 0.03) ** 2)))  # neighbours keep apart, at low q alone
    dilute, dense = sphere(Q, 60), 8 * sphere(Q, 60) * factor
    found = sample_of([curve(dilute, "dilute.dat"), curve(dense, "dense.dat", background=0.05)])
    assert found.kind == CONCENTRATIONS


def test_file_of_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "sample.toml"
    path.write_text(
        '[solvents]\n"1.dat" = "a"\n"-2" = 2.5\n3 = 6.36\n'
        '[tie]\nsld_solvent = "-0.56 + 6.92*x"\n[values.x]\n1 = 0.0\n2 = 0.4\n3 = 1.0\n'
    )
    found = sample_of(contrasts(), read_description(path), sld=lambda text, probe: {"a": -0.56}[text])
    assert found.kind == CONTRASTS
    assert found.told
    assert found.solvents == (-0.56, 2.5, 6.36)
    assert found.ties["sld_solvent"].value({"x": found.values[1]["x"]}) == pytest.approx(2.208)


def test_names_without_quotes_and_a_mark_of_windows_are_read(tmp_path: Path) -> None:
    quoted, bare = tmp_path / "quoted.toml", tmp_path / "bare.toml"
    quoted.write_text('[solvents]\n"1.dat" = 1.0\n"-2.dat" = 2\n"-6.dat" = 3\n[values.x]\n"1.dat" = 4.0\n')
    bare.write_text(quoted.read_text().replace('"', ""), encoding="utf-8-sig")
    assert read_description(bare) == read_description(quoted)
    assert sample_of(contrasts(), read_description(bare)).solvents == (1.0, 2.0, 3.0)


def test_probes_are_given() -> None:
    assert sample_of(contrasts(), {"probes": {"1.dat": "xray"}}).kind == PROBES


def test_a_solvent_for_x_rays_needs_their_wavelength() -> None:
    both = {"probes": {"1.dat": "xray"}, "solvents": {"1.dat": "H2O", "-2.dat": "D2O", "-6.dat": "D2O"}}
    with pytest.raises(DataError, match="wavelength"):
        sample_of(contrasts(), both, sld=densities(None))
    found = sample_of(contrasts(), both, sld=densities(1.54))
    assert found.solvents == pytest.approx((9.47, 6.36, 6.36), abs=0.05)


def refused(said: str, curves: list[Curve], described: dict[str, object] | None = None) -> None:
    with pytest.raises(DataError, match=said):
        sample_of(curves, described)


def test_what_does_not_go_together_is_said() -> None:
    a, b, c = contrasts()
    refused("no curves", [])
    refused(r"1.dat: the same data are given twice", [a, a])
    refused("solvent of -6.dat is missing", [a, b, c], {"solvents": {"1.dat": 1.0, "-2.dat": 2.0}})
    refused("other.dat is not one of the curves", [a, b], {"solvents": {"other.dat": 1.0}})
    refused("no section colour", [a, b], {"colour": {}})
    refused("kind = 'zoo' is none of", [a, b], {"kind": "zoo"})
    refused("the probe must be 'neutron' or 'xray'", [a, b], {"probes": {"1.dat": "muon"}})
    refused("is not a concentration", [a, b], {"concentrations": {"1.dat": -1.0}})
    refused("cannot be both shared and separate", [a, b], {"share": ["radius"], "own": ["radius"]})
    nm = replace(b, q_unit=QUnit("1/nm", stated=True))
    refused(r"1.dat: the file gives no unit of q", [replace(a, q_unit=QUnit("1/A", stated=False)), nm])


def test_missing_or_broken_file_of_a_sample(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing.toml: there is no such file"):
        read_description(tmp_path / "nothing.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[solvents")
    with pytest.raises(DataError, match=r"broken.toml: is not valid TOML"):
        read_description(broken)


def test_names_of_curves_tell_entries_of_one_file_apart() -> None:
    a, b, _ = contrasts()
    found = Sample(
        (replace(a, file="x.h5", entry="first"), replace(b, file="x.h5", entry="second")), SETTINGS
    )
    assert found.files == ["x.h5 (first)", "x.h5 (second)"]


@pytest.mark.parametrize(
    "described",
    [
        {"own": 3},
        {"values": {"x": {"1": "abc"}}},
        {"values": {"x": {"1": True}}},
        {"solvents": {"1": True, "2": 1.0, "3": 2.0}},
        {"solvents": {"1": float("nan"), "2": 1.0, "3": 2.0}},
        {"scale": {"1": True}},
    ],
)
def test_values_of_the_wrong_sort_are_one_sentence(described: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"^the sample: "):
        sample_of(contrasts(), described)


def test_ties_are_calculated_in_the_order_in_which_they_need_each_other() -> None:
    found = sample_of(contrasts(), ties=("sld_core = 2*sld_shell", "sld_shell = 3*x", "radius = 5"))
    values = {"x": 1.0, "sld_shell": 99.0}
    for name, tie in found.ties.items():
        values[name] = tie.value(values)
    assert values["sld_core"] == 6.0


@pytest.mark.parametrize("ties", [("a = b", "b = a"), ("radius = radius",), ("a = b", "b = c", "c = 2*a")])
def test_ties_in_a_circle_are_refused(ties: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="circle"):
        sample_of(contrasts(), ties=ties)


def test_solvents_may_be_given_by_a_tie() -> None:
    """Where each curve has its own value; a density that all have says nothing of the kind."""
    own = {"values": {"x": {str(i + 1): float(i) for i in range(3)}}}
    alike = [curve(core_shell(1.0, 3.0), f"{'x' * (i + 1)}.dat") for i in range(3)]
    found = sample_of(alike, own, ties=("sld_solvent = 2*x",))
    assert (found.kind, found.told) == (CONTRASTS, True)
    assert sample_of(alike, ties=("sld_solvent = 6.36",)).kind == SETTINGS


@pytest.mark.parametrize("calibration", [1.0, 1.2, 2.0])
@pytest.mark.parametrize("radius", [60.0, 200.0])
def test_two_settings_of_one_sample_are_not_contrasts(radius: float, calibration: float) -> None:
    """Monodisperse spheres in staggered q ranges, smeared differently, with other flat backgrounds."""
    rng = np.random.default_rng(3)
    at = np.linspace(-2.5, 2.5, 41)

    def measured(q: np.ndarray, dq: np.ndarray, scale: float, background: float) -> Curve:
        x = np.abs(q[:, None] + at * dq[:, None]) * radius + 1e-6
        shape = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
        intensity = 20 * scale * np.average(shape, axis=1, weights=np.exp(-(at**2) / 2)) + background
        error = 0.02 * intensity + 0.002
        return Curve(q, intensity + error * rng.standard_normal(q.size), error, dq)

    low, high = np.geomspace(0.002, 0.12, 80), np.geomspace(0.01, 0.5, 90)
    curves = (
        measured(low, 0.04 * low + 0.0005, 1.0, 0.02),
        measured(high, 0.08 * high + 0.002, calibration, 0.05),
    )
    assert kind_by_look(curves) == SETTINGS
