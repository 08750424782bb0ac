"""Images that were once answered wrongly, each for its kind: what is read and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains import ReadOptions, specification
from sasnet_plugin.predict import Answer
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.types import DataError, Image

CASES = Path(__file__).parent / "cases" / "images"


@cache
def image(name: str, domain: str) -> Image:
    (found,) = specification(domain).read(str(CASES / name), ReadOptions())
    return found  # type: ignore[no-any-return]


@cache
def answer(name: str, domain: str) -> Answer:
    (found,) = open_predictor(domain).answers([image(name, domain)])
    return found


def orientation(name: str) -> dict[str, object]:
    return answer(name, "sans2d").as_dict()["orientation"]  # type: ignore[no-any-return]


def test_gaps_of_minus_one_are_no_scattering() -> None:
    found = image("gap_minus1.cbf", "sans2d")
    assert not found.mask.all()
    assert (found.counts[found.mask] >= 0).all()
    # Rods of P2 0.30 at 70 degrees; with gaps as counts it was 0.795 at 96 degrees.
    said = orientation("gap_minus1.cbf")
    assert said["p2"]["value"] == pytest.approx(0.30, abs=0.06)  # type: ignore[index]
    assert said["director_deg"]["value"] == pytest.approx(70, abs=2)  # type: ignore[index]


def test_directors_are_counted_as_a_screen_shows_them() -> None:
    said = orientation("director_s08.cbf")
    assert said["director_deg"]["value"] == pytest.approx(20, abs=1)  # type: ignore[index]
    assert "the file's first row on top" in str(said["angles"])


def test_hot_pixels_do_not_move_the_centre() -> None:
    found = image("s17_hot.cbf", "sans2d")
    assert "Hot and excluded: 25 pixels." in found.notes
    q = found.geometry.q
    row, column = np.unravel_index(int(np.argmin(q)), q.shape)
    assert (column, row) == (pytest.approx(131, abs=2), pytest.approx(121, abs=2))
    said = answer("s17_hot.cbf", "sans2d").as_dict()
    assert said["classes"][0]["name"] == "sphere"
    assert said["quantities"]["radius"]["value"] == pytest.approx(80, abs=3)


def test_bitshuffle_and_lz4_are_read() -> None:
    assert image("eiger_bslz4_master.h5", "xray_tags").counts.sum() > 0
    assert answer("eiger_bslz4_master.h5", "xray_tags").known


@pytest.mark.parametrize("domain", ["sans2d", "gisas_hex", "diffraction", "xray_tags"])
def test_a_master_without_its_data_has_no_answer(domain: str) -> None:
    with pytest.raises(DataError, match=r"images are in plain_data_000001\.h5, which is not in its folder"):
        image("flatfield_master.h5", domain)


def test_a_prolate_body_is_called_so() -> None:
    found = answer("prolate_p6.cbf", "diffraction")
    there = {one["name"] for one in found.as_dict()["tags"] if one["present"]}
    assert there == {"Prolate", "Streak"}
    assert "times as long as wide" in " ".join(found.notes)


def test_a_square_lattice_is_not_sure_to_be_hexagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    from sasnet_plugin.images.gisas import inversion

    # Which film lies below is not the point.
    steps = {**inversion.INVERSION.search_steps, "oxide": 120.0}
    monkeypatch.setattr(inversion, "INVERSION", replace(inversion.INVERSION, search_steps=steps))
    name, domain = "square_g10.cbf", "gisas_hex"
    found = inversion.refine_answer(image(name, domain), answer(name, domain))
    assert found.in_scope <= 0.7
    assert "A square lattice of 33" in " ".join(found.notes)
