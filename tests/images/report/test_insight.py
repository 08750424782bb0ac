"""The page of a network: how it learned, what its patterns hold, what it makes of nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from tinyzoo import write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.domains import specification
from sasnet_plugin.domains.heads import Distribution
from sasnet_plugin.domains.simulator import HeldOut
from sasnet_plugin.images.features import N_CHANNELS
from sasnet_plugin.images.report import bias_section, learning_section, pls_section, write_network_page
from sasnet_plugin.report import canvas
from sasnet_plugin.types import SasnetError

runner = CliRunner()
TABLE = "Errors.\n\n| quantity | a | b |\n|---|---|---|\n| `distance` | 1 | <2> |\n\nRefused: 3 %.\n"


def axes_of(draw: canvas.Draw | None) -> list:
    assert draw is not None
    figure = Figure()
    draw(figure, canvas.day)
    return figure.axes


def test_partial_least_squares_see_the_root_of_the_counts(rng: np.random.Generator) -> None:
    features = rng.normal(size=(60, 8, 6, N_CHANNELS))
    answers = features[:, 2:4, 1:3, 1].sum(axis=(1, 2))[:, None]
    section = pls_section(features, answers, "a sum")
    first = axes_of(section.draw)[0].get_images()[0].get_array()
    assert np.abs(first[2:4, 1:3]).min() > np.abs(first).mean()
    assert "60 patterns against a sum" in section.text


def test_a_bias_is_said_in_percent() -> None:
    ramp = np.full((20, 120), 1 / 120) * (1 + 0.2 * np.sin(np.arange(120) / 120 * 2 * np.pi))
    head = next(head for head in specification("gisas_hex").heads if isinstance(head, Distribution))
    section = bias_section(head, ramp)
    assert "from uniform by at most 20.0 %" in section.text
    (axes,) = axes_of(section.draw)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), ramp[0])


def test_learning_curves_of_two_runs_are_drawn(tmp_path: Path) -> None:
    for name, losses in (("scratch", (3.0, 1.0, -1.0)), ("pretrained", (1.0, -0.5))):
        rows = "\n".join(f"{i},{loss},NA" for i, loss in enumerate(losses))
        (tmp_path / f"{name}.csv").write_text(f"epoch,loss,val_loss\n{rows}\n", encoding="utf-8")
    logs = {name: tmp_path / f"{name}.csv" for name in ("scratch", "pretrained")}
    (axes,) = axes_of(learning_section(logs, 1000).draw)
    lines = {line.get_gid(): line for line in axes.lines}
    np.testing.assert_allclose(lines["scratch"].get_xdata(), [1000, 2000, 3000])
    np.testing.assert_allclose(lines["scratch"].get_ydata(), [4.1, 2.1, 0.1])
    np.testing.assert_allclose(lines["pretrained"].get_ydata(), [2.1, 0.6])
    with pytest.raises(SasnetError, match="is not a training log"):
        learning_section({"a": tmp_path / "none.csv"}, 1)


def test_the_page_takes_the_tables_over(tmp_path: Path) -> None:
    text = write_network_page(
        TABLE, [], [], HeldOut({}, {}, {}, 0), "net", {}, 0, tmp_path / "net.html"
    ).read_text(encoding="utf-8")
    assert '<th scope="col">quantity</th>' in text
    assert "<td>distance</td>" in text
    assert "&lt;2&gt;" in text
    assert "---" not in text
    assert "Refused: 3 %." in text


def test_evaluate_gives_figures_a_card_and_a_page(
    simulated_films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "zoo", "gisas_growth")))
    run = tmp_path / "run"
    run.mkdir()
    (run / "settings.json").write_text(json.dumps({"train": {"batch": 128, "save_every": 100}}))
    (run / "log.csv").write_text("epoch,loss,val_loss\n0,2.0,NA\n1,1.0,NA\n")
    names = {name: tmp_path / name for name in ("a.png", "card.md", "net.html")}
    asked = ["evaluate", "--domain", "gisas_growth", "--test", str(simulated_films), "--per-model", "3"]
    result = runner.invoke(
        app,
        [*asked, "--plot", str(names["a.png"]), "--card", str(names["card.md"]),
         "--report", str(names["net.html"]), "--run", str(run), "--json"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert json.loads(runner.invoke(app, [*asked, "--workers", "2", "--json"]).stdout) == figures
    assert set(figures["auroc"]) == set(figures["others_answered"]) != set()
    distance = figures["parts"]["all"]["quantities"]["distance"]
    assert distance["error"] > 0
    assert 0 <= distance["coverage"] <= 1
    assert names["a.png"].stat().st_size > 5000
    assert "# gisas_growth" in names["card.md"].read_text(encoding="utf-8")
    text = names["net.html"].read_text(encoding="utf-8")
    assert "What the patterns hold" in text
    assert "How it learned" in text
