"""The figure of a series says why a panel has nothing to draw."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from sasnet_plugin.report.trend import SHARES, Gap, describe_gaps, gaps_of, trend, trend_page, trend_size

TIME = np.arange(1.0, 11.0)
RG = np.where((TIME > 3) & (TIME < 7) | (TIME == 10), np.nan, 40.0)
WHY = ["no answer" if time == 10 else "no Guinier region" for time in TIME]


def test_a_gap_goes_from_its_first_to_its_last_frame_with_one_reason() -> None:
    gaps = gaps_of("rg [Å]", TIME, RG, WHY)
    assert gaps == [Gap("rg [Å]", 4, 6, "no Guinier region"), Gap("rg [Å]", 10, 10, "no answer")]
    assert gaps_of("rg [Å]", TIME, np.full(10, 40.0), WHY) == []


def test_a_reason_stands_in_the_gap_of_its_panel_alone() -> None:
    number = RG, np.full(10, 1.0)
    numbers = {"rg [Å]": number, "background [1/cm]": (np.full(10, 0.1), np.full(10, 0.01))}
    draw = trend(TIME, {"spheres": np.full(10, 0.9)}, numbers, gaps=gaps_of("rg [Å]", TIME, RG, WHY))
    figure = Figure(figsize=trend_size(2))
    draw(figure, lambda role: "black")
    shares, rg, background = figure.axes
    assert [text.get_text() for text in rg.texts] == ["no Guinier region", "no answer"]
    assert not shares.texts
    assert not background.texts
    low, high = rg.patches[0].get_extents().transformed(rg.transData.inverted()).intervalx
    assert (low, high) == pytest.approx((3.5, 6.5))
    assert [axes.get_ylabel() for axes in figure.axes] == [SHARES, "Rg / Å", "background / unit of I"]


def test_sentences_name_all_panels_of_a_gap_once() -> None:
    gaps = [*gaps_of("rg [Å]", TIME, RG, WHY), *gaps_of("i0", TIME, RG, WHY)]
    said = describe_gaps(gaps, "frame")
    assert said == [
        "Not shown at frame 4 to 6: Rg, I(0). No Guinier region.",
        "Not shown at frame 10: Rg, I(0). No answer.",
    ]
    page = trend_page(
        "run", lambda figure, paint: None, (4, 2), ["A change."], "10 frames.", said, again=None
    )
    assert all(one in page for one in said)
