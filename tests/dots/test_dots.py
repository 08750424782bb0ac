"""A fourth kind of measurement goes from its simulator to its report by the same commands as the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dots_domain import HEAD, RADIUS, Dots
from typer.testing import CliRunner

import sasnet_plugin.cli.classify  # noqa: F401  its help lists the kinds that there are when it is imported
from sasnet_plugin.cli.main import app
from sasnet_plugin.domains import PAGES

pytest.importorskip("tensorflow")


def sasnet(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated, trained, calibrated and packaged."""
    folder = tmp_path_factory.mktemp("dots")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PAGES, "dots", "dots_domain:DOTS")
        for name, seed in (("data", 1), ("test", 2)):
            sasnet("simulate", "--domain", "dots", "--rounds", 4, "--seed", seed, "--out", folder / name)
        sasnet(
            "train", "--domain", "dots", "--data", folder / "data", "--validation", folder / "test",
            "--run", folder / "run", "--zoo", folder / "zoo" / "dots", "--steps", 400, "--batch", 128,
            "--per-model", 20,
        )  # fmt: skip
    (folder / "zoo" / "registry.json").write_text('{"dots": {"path": "dots", "domain": "dots"}}')
    return folder / "zoo"


@pytest.fixture(autouse=True)
def registered(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAGES, "dots", "dots_domain:DOTS")
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(zoo))


def test_a_file_is_recognised_answered_drawn_and_reported(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(3), tmp_path / "one.txt"
    params = Dots().sample(rng) | {"radius": 2.5, "pair": 0.0, "ground": 1.0}
    counts = rng.poisson(200 * Dots().clean(params)["pictures"])
    path.write_text(HEAD + "\n".join(" ".join(map(str, row)) for row in counts))
    answer = json.loads(sasnet("classify", path, "--json"))
    content = {tag["name"]: tag for tag in answer["content"]}
    assert content["ground"]["probability"] > 0.8
    assert [name for name, tag in content.items() if tag["present"]] == ["ground"]
    size = answer["size"]["radius"]
    assert size["low"] < size["value"] < size["high"]
    assert size["value"] == pytest.approx(2.5, rel=0.4)
    assert answer["in_scope"] == 1
    assert answer["photons"]["total"]["value"] == counts.sum()
    assert answer["photons"]["total"]["error"] == pytest.approx(np.sqrt(counts.sum()), rel=0.01)
    text = sasnet("classify", path, "--plot", tmp_path / "a.png", "--report", tmp_path / "pages")
    assert "ground" in text
    assert f"{size['value']:.3g}" in text
    assert (tmp_path / "a.png").stat().st_size > 5000
    (page,) = (tmp_path / "pages").glob("*.html")
    assert page.read_text(encoding="utf-8").count("<svg") == 5


def test_it_is_evaluated_by_its_heads(zoo: Path, tmp_path: Path) -> None:
    test, card = zoo.parent / "test", tmp_path / "card.md"
    options = "evaluate", "--domain", "dots", "--test", test, "--per-model", 20
    figures = json.loads(sasnet(*options, "--json").splitlines()[-1])["parts"]["all"]
    assert figures["content"]["pair"]["right"] > 0.8
    assert figures["content"]["ground"]["auroc"] > 0.95
    assert figures["size"]["radius"]["error"] < 0.15
    assert 0.8 <= figures["size"]["radius"]["coverage"] <= 0.98
    assert "`radius`" in sasnet(*options, "--card", card)
    assert RADIUS.name in card.read_text(encoding="utf-8")
