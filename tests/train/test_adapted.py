"""A user's labels: the last layer of an installed model follows them, where held-out ones say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.simulate.diffraction import samples
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR
from sasnet_plugin.zoo import open_model

pytest.importorskip("onnx")
NUMBER = 90


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Simulated frames in a file, with their tags."""
    rng, folder = np.random.default_rng(4), tmp_path_factory.mktemp("labelled")
    kinds = {"round": 1.0, "streak": 1.0}
    rows = [SIMULATOR.clean(samples.draw_sample(rng, kinds, {}, 1.0)) for _ in range(NUMBER)]
    images, targets = SIMULATOR.measure(rows, rng, exposure=1e5)
    stack = np.stack([np.where(image.mask, image.counts, 0) for image in images])
    np.save(folder / "run.npy", stack.astype(np.int32))
    (folder / "geometry.toml").write_text("direct_beam = [47.5, 47.5]\n")
    return folder, targets["tags"]


def train(folder: Path, tags: list[str], out: Path) -> str:
    """The command's answer."""
    lines = ["file,entry,tags"] + [f"run.npy,{n},{tag}" for n, tag in enumerate(tags, start=1)]
    (folder / "tags.csv").write_text("\n".join(lines))
    options = [
        "train",
        "--domain",
        "diffraction",
        "--start-from",
        "zoo",
        "--labels",
        str(folder / "tags.csv"),
    ]
    result = CliRunner().invoke(app, [*options, "--zoo", str(out), str(folder / "run.npy")])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_tag_follows_the_user_and_what_was_known_stays(
    run: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, truth = run
    round_ones = truth[:, LABELS.index("Round")] > 0
    # This user calls round ones "Layered", too, of which the installed model knows nothing.
    tags = ["Round;Layered" if one else "Prolate;Streak" for one in round_ones]
    said = train(folder, tags, tmp_path / "zoo" / "diffraction")
    assert "Layered" in said
    assert f"{NUMBER} labelled images" in said
    old, new = open_model("diffraction"), open_model("diffraction", folder=tmp_path / "zoo")
    assert new.manifest.metrics["adapted"]["images"] == NUMBER
    assert "Layered" in new.manifest.metrics["adapted"]["tags"]
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(tmp_path / "zoo"))
    result = CliRunner().invoke(
        app, ["classify", str(folder / "run.npy"), "--domain", "diffraction", "--json"]
    )
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    p = np.array([{t["name"]: t["probability"] for t in a["tags"]}.get("Layered", np.nan) for a in answers])
    known = np.isfinite(p)
    assert known.mean() > 0.8
    assert p[known & round_ones].mean() > p[known & ~round_ones].mean() + 0.4
    # Of a tag that was not taken nothing changed.
    kept = [k for k, name in enumerate(LABELS) if name not in new.manifest.metrics["adapted"]["tags"]]
    one, two = (m.manifest.calibration["tags"] for m in (old, new))
    assert kept
    assert all(one[key][k] == two[key][k] for key in ("slope", "offset", "threshold") for k in kept)


def test_what_labels_do_not_teach_is_not_taken(run: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = run
    rng = np.random.default_rng(8)
    # As often as the model expects of them, and by chance.
    tags = ["Asymmetric" if rng.random() < 0.15 else "Round" for _ in range(NUMBER)]
    p = np.array([tag == "Asymmetric" for tag in tags])
    out = tmp_path / "zoo" / "diffraction"
    said = train(folder, ["Prolate;Streak" if r else "" for r in p], out)
    taken = (
        json.loads((out / "manifest.json").read_text())["metrics"]["adapted"]["tags"] if out.exists() else []
    )
    assert "Asymmetric" not in taken
    assert said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--start-from", "zoo"], "folder for checkpoints with --run"),
        (["--start-from", "nowhere/diffraction", "--labels", "tags.csv"], "there is no registered model"),
        (["--labels", "tags.csv"], "folder for checkpoints with --run"),
    ],
)
def test_what_cannot_be_started_from_is_a_sentence(options: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["train", "--domain", "diffraction", *options])
    assert result.exit_code != 0
    assert sentence in " ".join((result.output + str(result.exception)).split())
