"""Nouns in a notebook: pictures with every point, the numbers that tables have, axes, and lines in Python."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from made_results import CURVE, SPHERE, answer, fitted, p

from sasnet_plugin.digits import format_with_error
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.types import Curve, GroupGuess, ModelGuess, SasnetError, Suggestion


def markers(html: str, *names: str) -> int:
    """Markers in groups of these names; each group ends before the next, or before an axis."""
    groups = (html.partition(f'id="sasnet-{name}"')[2] for name in names)
    return sum(re.split('id="sasnet-(?!m)', group)[0].count("<use") for group in groups)


def text(html: str) -> str:
    """Without tags."""
    return unescape(re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize(
    "curve",
    [
        CURVE,
        Curve([0.01, 0.02, 0.04], [3.0, -1.0, 0.0]),
        Curve([0.01, 0.02], [-3.0, -1.0], [1.0, 1.0]),
        Curve([0.05], [2.0]),
        Curve(np.linspace(0.1, 0.104, 50), np.full(50, 1e-9), np.full(50, 1.0)),
    ],
    ids=["usual", "negative", "all negative", "one point", "narrow"],
)
def test_every_point_of_a_curve_is_drawn(curve: Curve) -> None:
    html = curve._repr_html_()
    assert markers(html, "data1", "below1") == len(curve)
    assert "nan" not in html
    assert "inf" not in html


def test_a_curve_without_points_has_a_line_and_no_picture() -> None:
    html = Curve([], [])._repr_html_()
    assert "no points" in html
    assert "<svg" not in html


def test_a_curve_is_one_line() -> None:
    assert str(CURVE) == "latex.dat: 60 points, q 0.01 to 0.3 Å⁻¹, with uncertainties"
    assert repr(CURVE) == f"<Curve {CURVE}>"
    frame = CURVE.to_dataframe()
    assert list(frame.columns) == ["q", "intensity", "dintensity"]
    assert frame["intensity"].to_numpy() == pytest.approx(CURVE.intensity)


def test_what_a_page_says_of_parameters_is_what_the_table_has() -> None:
    result = answer(SPHERE, fitted("cylinder", 1.1, radius=p(40.0, 3.0), length=p(900.0, None)))
    html, frame = result._repr_html_(), result.to_dataframe()
    best = frame[frame["rank"] == 1]
    assert set(best["parameter"]) == set(SPHERE.parameters)
    for row in best.itertuples():
        assert format_with_error(row.value, row.error) in text(html)
    assert markers(html, "data1", "below1") == len(result.curve)
    assert markers(html, "residual1", "above1", "under1") == len(result.curve)
    assert len(re.findall('id="sasnet-line[12]"', html)) == 2
    assert best.set_index("parameter").loc["radius", "error"] == pytest.approx(0.104)


def test_names_from_files_are_escaped() -> None:
    curve = replace(CURVE, file="a<script>alert(1)</script>.dat", notes=("<b>",))
    for thing in (curve, answer(SPHERE, curve=curve)):
        assert "<script" not in thing._repr_html_()
        assert "<b>" not in thing._repr_html_()


def test_three_lines_are_the_first_of_a_page() -> None:
    result = add_verdict(answer(SPHERE))
    assert str(result).splitlines()[0].startswith("latex.dat: ")
    for line in str(result).splitlines():
        assert line in text(result._repr_html_())


def test_plots_go_where_they_are_asked_for() -> None:
    from matplotlib.figure import Figure

    result = answer(SPHERE)
    own = Figure().subplots()
    assert result.plot(own) is own
    assert own.figure.axes == [own]
    (line,) = (one for one in own.lines if one.get_gid() == "line1")
    assert line.get_ydata() == pytest.approx(SPHERE.theory)
    axes = CURVE.plot(Figure().subplots())
    drawn = [one for one in axes.lines if one.get_gid() in ("data1", "below1")]
    assert sum(len(one.get_xdata()) for one in drawn) == len(CURVE)


def test_new_axes_are_those_of_a_figure_that_pyplot_knows() -> None:
    import matplotlib.pyplot as plt

    axes = answer(SPHERE).plot()
    try:
        assert axes.figure.number in plt.get_fignums()
        (below,) = (one.get_ydata() for one in axes.figure.axes[1].lines if one.get_gid() == "residual1")
        assert below == pytest.approx((CURVE.intensity - SPHERE.theory) / answer(SPHERE).dintensity)
    finally:
        plt.close(axes.figure)


def test_without_pandas_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SasnetError, match="pip install pandas, or take as_dict"):
        answer(SPHERE).to_dataframe()


def test_a_suggestion_says_how_far_it_goes() -> None:
    models = (ModelGuess("sphere", None, 0.6, "spheres"), ModelGuess("vesicle", None, 0.3, "spheres"))
    groups = (GroupGuess("spheres", ("sphere", "vesicle"), 0.9), GroupGuess("coils", ("rpa",), 0.1))
    found = Suggestion("a.dat", "", models, groups, 0.9, ("4 intensities below zero were kept as measured.",))
    first, last = str(found).splitlines()
    assert (
        first
        == "a.dat: “spheres” (models with similar curves) 90 %, which one of sphere, vesicle is undecided."
    )
    assert last == "Next: fit(curve)  # fit the likely models"
    assert list(found.to_dataframe()["model"]) == ["sphere", "vesicle"]
    assert "60 %" in text(found._repr_html_())


def test_points_of_a_range_are_cut_out_by_the_curve() -> None:
    found = CURVE.within(low=0.1)
    assert len(found) == np.sum(CURVE.q >= 0.1)
    assert found.q[0] >= 0.1
