"""The page of a classified curve: what was said, the table, data with a curve that was not fitted."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from simulated_fits import simulated

from sasnet_plugin import load
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.report.page.reports import make_page, page_name, write_classified
from sasnet_plugin.types import Curve


@pytest.fixture(scope="module")
def curve() -> Curve:
    return simulated("slit").curve


@pytest.fixture(scope="module")
def answer(curve: Curve) -> Answer:
    return open_predictor().answers([curve])[0]


def test_it_says_what_the_terminal_says_and_draws_every_point(curve: Curve, answer: Answer) -> None:
    text = make_page(curve, answer, "sasnet fit a.dat --top 3")
    words = unescape(re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL))
    for sentence in answer.sentences():
        assert sentence.removeprefix("Note: ") in words
    assert "nearest simulated curve, not fitted" in words
    assert "sasnet fit a.dat --top 3" in words
    for row in answer.findings[0].rows():
        assert all(cell in words for cell in row)
    drawn = json.loads(re.findall(r'id="plot-data">(.*?)</script>', text)[0])
    np.testing.assert_allclose(drawn["points"][0]["y"], curve.intensity, rtol=1e-5)
    assert text.count('id="curve-data1"') == 1


def test_a_page_has_the_name_that_the_overview_links_to(curve: Curve, answer: Answer, tmp_path: Path) -> None:
    name = page_name(curve, tmp_path)
    assert write_classified(curve, answer, tmp_path) == tmp_path / name
    assert page_name(curve, tmp_path) == name


def test_an_assumed_unit_of_q_is_said(tmp_path: Path) -> None:
    q = np.geomspace(0.005, 0.3, 60)
    for head, said in (("q I dI", True), ("q(1/A) I dI", False)):
        np.savetxt(tmp_path / "a.dat", np.c_[q, 1 / (1 + (40 * q) ** 4), 0.02 / q], header=head)
        (read,) = load(tmp_path / "a.dat")
        text = make_page(read, open_predictor().answers([read])[0])
        assert ("q read as Å⁻¹ (assumed)" in text) == said
