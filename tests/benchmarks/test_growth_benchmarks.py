"""The benchmarks of growing films measure what they say, on a few frames and films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.images import growth_stream


@pytest.mark.parametrize("make", [growth_stream.tiff_stack, growth_stream.nexus_stream])
def test_every_frame_of_a_series_is_followed(
    make: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth_stream, "WARM", 4)
    folder = tmp_path / "series"
    folder.mkdir()
    source = make(folder, growth_stream.frames(9, 72, 1))  # type: ignore[operator]
    (folder / "geometry.toml").write_text(growth_stream.geometry(72), encoding="utf-8")
    found = growth_stream.measured(source, growth_stream.by_the_maximum, tmp_path / "a.csv")
    assert (found.frames, found.failures) == (9, 0)
    assert found.most >= found.early > 10
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 10


def test_the_place_of_the_maximum_goes_with_the_distance() -> None:
    from sasnet_plugin.simulate.growth.pattern import pattern
    from sasnet_plugin.simulate.growth.priors import growing
    from sasnet_plugin.simulate.images.window import Window
    from sasnet_plugin.types import GrazingIncidence, Image

    seen = Window(96, 96, phi=(-2.2, 2.2), alpha_f=(0.0, 2.7))
    alpha_f, phi = seen.centres()
    mask = np.ones(seen.shape, bool)
    found = []
    for distance in (60.0, 90.0, 130.0):
        counts = pattern(growing(5.0, distance), seen).astype(float)
        (guess,) = growth_stream.by_the_maximum(
            [Image(counts, mask, GrazingIncidence(phi, alpha_f, 0.96, 0.4))]
        )
        found.append(guess.findings[0].known["distance"].value)
    np.testing.assert_allclose(found, [60.0, 90.0, 130.0], rtol=0.15)
