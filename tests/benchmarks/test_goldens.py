"""Goldens notice the last bit of a number, and no sentence; samples of several curves are physics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import goldens
from benchmarks.fitting import together
from benchmarks.independent_curves.form_factors import sphere_volume


def test_one_bit_is_a_difference_and_a_sentence_is_none() -> None:
    answer = {"fits": [{"model": "sphere", "value": 0.1, "fixed": False}], "headline": "a", "said": "it fits"}
    recorded = dict(goldens.list_numbers(answer))
    assert set(recorded) == {"/fits/0/model", "/fits/0/value", "/fits/0/fixed"}
    other = {**answer, "said": "it does not", "headline": "b"}
    assert goldens.list_differences(recorded, dict(goldens.list_numbers(other))) == []
    other["fits"] = [{"model": "sphere", "value": np.nextafter(0.1, 1), "fixed": False}]
    assert len(goldens.list_differences(recorded, dict(goldens.list_numbers(other)))) == 1
    assert len(goldens.list_differences(recorded, {})) == 3


def test_a_record_is_compared_and_a_change_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = [0.1, 0.2, 0.3, 0.4]
    monkeypatch.setattr(goldens, "KINDS", {"curves": (4, lambda index: {"value": values[index]})})
    arguments = ["--out", str(tmp_path), "--kinds", "curves"]
    goldens.main(["record", "--third", "0", *arguments])
    monkeypatch.setattr(goldens, "checkout_version", lambda: "another+")
    assert goldens.main(["compare", *arguments]) == 0
    values[3] += 1e-16
    assert goldens.main(["compare", *arguments]) == 1
    assert "curves 3 /value" in capsys.readouterr().out
    values[1] = 7.0  # of no recorded answer
    values[3] = 0.4
    assert goldens.main(["compare", *arguments]) == 0


def test_spheres_are_matched_by_a_solvent_of_their_density_and_forward_scattering_is_that_of_moments() -> (
    None
):
    particle = together.draw_particle("sphere", np.random.default_rng(1))
    q = np.array([1e-5])
    assert particle.intensity(q, (2.0,), 2.0)[0] == pytest.approx(0.0, abs=1e-12)
    mean, width = particle.values["radius"], particle.values["radius_pd"]
    sixth = 1 + 15 * width**2 + 45 * width**4 + 15 * width**6  # moments of a normal distribution
    expected = 1e-4 * 9.0 * sphere_volume(mean) * sixth / (1 + 3 * width**2)
    assert particle.intensity(q, (1.0,), 4.0)[0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("index", range(len(together.KINDS)))
def test_each_kind_of_sample_is_described_as_such(index: int) -> None:
    from sasnet_plugin.data.sample.described import sample_of
    from sasnet_plugin.data.sample.kind import kind_of
    from sasnet_plugin.materials import densities

    drawn = together.draw(index)
    sample = sample_of(drawn.curves, drawn.described, sld=densities(None))
    assert drawn.kind == together.KINDS[index]
    assert (sample.kind if "kind" in drawn.described else kind_of(sample)) == drawn.kind
