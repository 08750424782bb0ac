"""No tag of rings is given where an image is not even around its beam."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Tags
from sasnet_plugin.images.xray_tags.prediction import complete_answer
from sasnet_plugin.images.xray_tags.reading import window
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.predict.tags import TagsFinding
from sasnet_plugin.types import Image

N, BEAM = 100, (50.0, 50.0)
SAID = TagsFinding(
    Tags("tags", ("ring", "many_rings", "weak_scattering")),
    {"ring": 0.93, "many_rings": 0.7, "weak_scattering": 0.8},
    ("ring", "many_rings", "weak_scattering"),
)


def said_of(rate: np.ndarray) -> Answer:
    counts = np.random.default_rng(5).poisson(rate).astype(float)
    image = Image(counts, np.ones((N, N), bool), window((N, N), BEAM))
    return complete_answer(image, Answer("image", "", 0.99, (SAID,), known=True))


def test_rings_about_the_beam_keep_their_tags() -> None:
    row, column = np.mgrid[:N, :N]
    radius = np.hypot(column - BEAM[0], row - BEAM[1])
    answer = said_of(20 + 300 * np.exp(-0.5 * ((radius - 30) / 2) ** 2))
    assert answer.finding(TagsFinding) is SAID
    assert answer.notes == ()


@pytest.mark.parametrize("edge", [20, 70])
def test_the_edge_of_a_shadow_is_no_ring(edge: int) -> None:
    column = np.broadcast_to(np.arange(N), (N, N))
    answer = said_of(np.where(column < edge, 5.0, 400.0) * (1 + column / N))
    found = answer.finding(TagsFinding)
    assert found is not None
    assert found.present == ("weak_scattering",)
    assert set(found.probability) == {"weak_scattering"}
    assert "no tag of rings is given" in answer.notes[-1]


def test_rings_below_the_noise_of_counts_are_left_to_the_network() -> None:
    assert said_of(np.full((N, N), 1.0)).finding(TagsFinding) is SAID
