"""Answers about patterns: turned with the mirror, silent about other kinds, one sentence on bad ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sasnet_plugin.predict.orientation import OUT_OF_SCOPE, OrientationReader, open_orientation
from tinygisas import add_to_zoo, network, pattern

from sasnet_plugin.simulate.gisas.distances import mirrored
from sasnet_plugin.types import DataError, Image, ModelZooError, OrientationGuess


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OrientationReader:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(add_to_zoo(tmp_path)))
    return open_orientation()


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


def test_distribution_and_band(reader: OrientationReader) -> None:
    (guess,) = reader.suggest([pattern(name="a.tif")])
    assert guess.p.sum() == pytest.approx(1.0)
    assert np.all((guess.p_low <= guess.p) & (guess.p <= guess.p_high))
    assert guess.file == "a.tif"
    assert 0 < guess.uniform_p_value <= 1
    assert all(error >= 0 for _, error in guess.geometry.values())


def test_mirrored_pattern_gives_the_mirrored_answer(reader: OrientationReader) -> None:
    image = pattern()
    straight, turned = reader.suggest([image, replace(image, counts=image.counts[:, ::-1])])
    assert np.abs(straight.p - mirrored(straight.p)).max() > 1e-3  # the pattern is not its own mirror image
    np.testing.assert_allclose(turned.p, mirrored(straight.p), atol=1e-6)
    np.testing.assert_allclose(turned.p_high, mirrored(straight.p_high), atol=1e-6)
    assert turned.geometry["shift_phi"][0] == pytest.approx(-straight.geometry["shift_phi"][0], abs=1e-6)
    assert turned.geometry["lattice"] == pytest.approx(straight.geometry["lattice"], rel=1e-5)


def test_any_binning_of_the_detector_gives_the_same_answer(reader: OrientationReader) -> None:
    image = pattern()
    one, other = reader.suggest([image]), reader.suggest([finer(image, 3)])
    np.testing.assert_allclose(one[0].p, other[0].p, atol=1e-6)


def test_together_or_alone(reader: OrientationReader) -> None:
    images = [pattern(seed=seed) for seed in range(5)]
    for one, guess in zip(images, reader.suggest(images), strict=True):
        np.testing.assert_allclose(reader.suggest([one])[0].p, guess.p, atol=1e-6)


def test_stated_beam_is_part_of_the_answer(reader: OrientationReader) -> None:
    image = pattern()
    image = replace(image, geometry=replace(image.geometry, wavelength=1.2, alpha_i=0.2))
    (guess,) = reader.suggest([image])
    assert guess.geometry["wavelength"] == (1.2, 0.0)
    assert guess.geometry["alpha_i"][0] == pytest.approx(0.2 + guess.geometry["shift_alpha"][0])


def _says_nothing(guess: OrientationGuess) -> bool:
    return bool(
        OUT_OF_SCOPE in guess.notes
        and np.allclose(guess.p, 1 / 120)
        and guess.p_low.max() == 0
        and guess.p_high.min() == 1
        and not guess.geometry
    )


@pytest.mark.parametrize(("name", "value"), [("wavelength", 2.0), ("alpha_i", 0.4)])
def test_beam_outside_of_training_gets_no_orientation(
    reader: OrientationReader, name: str, value: float
) -> None:
    image = pattern()
    beam = replace(image.geometry, **{name: value})
    (guess,) = reader.suggest([replace(image, geometry=beam)])
    assert guess.in_scope == 0
    assert _says_nothing(guess)
    assert any(f"{name} = {value:g}" in note and "outside" in note for note in guess.notes)


def test_stranger_gets_no_orientation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = add_to_zoo(tmp_path, onnx_bytes=network(scope_bias=-3.0))
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(folder))
    (guess,) = open_orientation().suggest([pattern()])
    assert guess.in_scope == pytest.approx(1 / (1 + np.exp(3)), rel=1e-5)
    assert _says_nothing(guess)


def test_bad_pattern_does_not_take_the_others_with_it(reader: OrientationReader) -> None:
    good = pattern(name="good.tif")
    empty = replace(good, counts=np.zeros_like(good.counts), file="empty.tif")
    mask = np.zeros_like(good.mask)
    mask[:4] = True
    little = replace(good, mask=mask, file="little.tif")
    elsewhere = replace(
        good, geometry=replace(good.geometry, phi=good.geometry.phi + 5), file="elsewhere.tif"
    )
    found = reader.outcomes([empty, good, little, elsewhere])
    assert isinstance(found[1], OrientationGuess)
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
        ({"quantities": ["lattice"]}, "one factor for the error"),
        ({"uniform": []}, "uniform patterns"),
        ({"stated": {"wavelength": [1, 2]}}, "ranges of wavelength and alpha_i"),
        ({"window": {"rows": 64}}, "malformed"),
        ({"preprocess_version": 99}, "preprocessing version 99"),
        ({"extra": 1}, "unknown keys"),
    ],
)
def test_bad_manifests_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict, word: str
) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(add_to_zoo(tmp_path, **change)))
    with pytest.raises(ModelZooError, match=word):
        open_orientation()
