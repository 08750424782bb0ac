"""Answers about patterns: turned with the mirror, silent about other kinds, one sentence on bad ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tinypatterns import pattern
from tinyzoo import manifest_entries, network, write_zoo

from sasnet_plugin.predict import Answer, Predictor, open_predictor
from sasnet_plugin.predict.arithmetic import mirror_distribution
from sasnet_plugin.predict.findings import DistributionFinding, QuantitiesFinding, Value
from sasnet_plugin.types import DataError, Image, ModelZooError


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predictor:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path, "gisas_hex")))
    return open_predictor("gisas_hex")


def distribution(answer: Answer) -> DistributionFinding:
    found = answer.finding(DistributionFinding)
    assert found is not None
    return found


def geometry(answer: Answer) -> dict[str, Value]:
    found = answer.finding(QuantitiesFinding)
    assert found is not None
    return found.present_values


def finer(image: Image, times: int) -> Image:
    """The same picture on a detector with finer pixels, each with its share of the counts."""
    step = np.diff(image.geometry.phi)[0], np.diff(image.geometry.alpha_f)[0]
    parts = (np.arange(times) + 0.5) / times - 0.5
    return replace(
        image,
        counts=np.kron(image.counts, np.ones((times, times))) / times**2,
        mask=np.kron(image.mask, np.ones((times, times), dtype=bool)),
        geometry=replace(
            image.geometry,
            phi=np.add.outer(image.geometry.phi, parts * step[0]).ravel(),
            alpha_f=np.add.outer(image.geometry.alpha_f, parts * step[1]).ravel(),
        ),
    )


def test_distribution_and_band(reader: Predictor) -> None:
    (guess,) = reader.answers([pattern(name="a.tif")])
    found = distribution(guess)
    assert found.p.sum() == pytest.approx(1.0)
    assert np.all((found.p_low <= found.p) & (found.p <= found.p_high))
    assert guess.file == "a.tif"
    assert 0 < found.uniform_p_value <= 1
    assert all(value.error >= 0 for value in geometry(guess).values())


def test_mirrored_pattern_gives_the_mirrored_answer(reader: Predictor) -> None:
    image = pattern()
    answers = reader.answers([image, replace(image, counts=image.counts[:, ::-1])])
    straight, turned = map(distribution, answers)
    assert (
        np.abs(straight.p - mirror_distribution(straight.p)).max() > 1e-3
    )  # the pattern is not its own mirror image
    np.testing.assert_allclose(turned.p, mirror_distribution(straight.p), atol=1e-6)
    np.testing.assert_allclose(turned.p_high, mirror_distribution(straight.p_high), atol=1e-6)
    first, second = map(geometry, answers)
    assert second["shift_phi"].value == pytest.approx(-first["shift_phi"].value, abs=1e-6)
    assert second["lattice"].value == pytest.approx(first["lattice"].value, rel=1e-5)


def test_any_binning_of_the_detector_gives_the_same_answer(reader: Predictor) -> None:
    image = pattern()
    one, other = reader.answers([image]), reader.answers([finer(image, 3)])
    np.testing.assert_allclose(distribution(one[0]).p, distribution(other[0]).p, atol=1e-6)


def test_together_or_alone(reader: Predictor) -> None:
    images = [pattern(seed=seed) for seed in range(5)]
    for one, guess in zip(images, reader.answers(images), strict=True):
        np.testing.assert_allclose(distribution(reader.answers([one])[0]).p, distribution(guess).p, atol=1e-6)


def test_stated_beam_is_part_of_the_answer(reader: Predictor) -> None:
    image = pattern()
    image = replace(image, geometry=replace(image.geometry, wavelength=1.2, alpha_i=0.2))
    (guess,) = reader.answers([image])
    found = geometry(guess)
    assert (found["wavelength"].value, found["wavelength"].error) == (1.2, 0.0)
    assert found["alpha_i"].value == pytest.approx(0.2 + found["shift_alpha"].value)
    assert found["alpha_i"].error == found["shift_alpha"].error


def _says_nothing(guess: Answer) -> bool:
    found = distribution(guess)
    return bool(
        guess.scope.outside in guess.notes
        and not guess.known
        and np.allclose(found.p, 1 / 120)
        and found.p_low.max() == 0
        and found.p_high.min() == 1
        and not geometry(guess)
    )


@pytest.mark.parametrize(("name", "value"), [("wavelength", 2.0), ("alpha_i", 0.4)])
def test_beam_outside_of_training_gets_no_orientation(reader: Predictor, name: str, value: float) -> None:
    image = pattern()
    beam = replace(image.geometry, **{name: value})
    (guess,) = reader.answers([replace(image, geometry=beam)])
    assert guess.in_scope == 0
    assert _says_nothing(guess)
    assert any(f"{name} = {value:g}" in note and "outside" in note for note in guess.notes)


def test_stranger_gets_no_orientation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_zoo(tmp_path, "gisas_hex", onnx_bytes=network("gisas_hex", scope_bias=-3.0))
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(folder))
    (guess,) = open_predictor("gisas_hex").answers([pattern()])
    assert guess.in_scope == pytest.approx(1 / (1 + np.exp(3)), rel=1e-5)
    assert _says_nothing(guess)


def test_bad_pattern_does_not_take_the_others_with_it(reader: Predictor) -> None:
    good = pattern(name="good.tif")
    empty = replace(good, counts=np.zeros_like(good.counts), file="empty.tif")
    mask = np.zeros_like(good.mask)
    mask[:4] = True
    little = replace(good, mask=mask, file="little.tif")
    elsewhere = replace(
        good, geometry=replace(good.geometry, phi=good.geometry.phi + 5), file="elsewhere.tif"
    )
    found = reader.outcomes([empty, good, little, elsewhere])
    assert isinstance(found[1], Answer)
    for outcome, name, word in (
        (found[0], "empty.tif", "no counts"),
        (found[2], "little.tif", "only 6 %"),
        (found[3], "elsewhere.tif", "check the geometry"),
    ):
        assert isinstance(outcome, DataError)
        assert str(outcome).startswith(name)
        assert word in str(outcome)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"heads": {"xi": {"bins": 60, "resolution": 3.0}, "geometry": {}, "scope": {}}}, "malformed.*bins"),
        ({"heads": {"orientation": {}}}, "heads that are not in its domain .orientation"),
        ({"features_version": 99}, "features of version 99"),
        ({"extra": 1}, "unknown keys"),
    ],
)
def test_bad_manifests_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict, word: str
) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path, "gisas_hex", **change)))
    with pytest.raises(ModelZooError, match=word):
        open_predictor("gisas_hex")


@pytest.mark.parametrize(
    ("head", "said", "word"),
    [
        ("geometry", {"factors": [[99.0, [1.0]]]}, "one factor for the uncertainty"),
        ("geometry", {"factors": []}, "one factor for the uncertainty"),
        ("xi", {"band": 0.0, "uniform": []}, "band of xi"),
        ("scope", {"slope": 1.0}, "calibrate the scope"),
    ],
)
def test_bad_calibrations_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, said: dict, word: str
) -> None:
    entries = manifest_entries(domain="gisas_hex")["calibration"] | {head: said}
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path, "gisas_hex", calibration=entries)))
    with pytest.raises(ModelZooError, match=word):
        open_predictor("gisas_hex")
