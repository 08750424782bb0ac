"""A user's labels: an installed model follows them where held-out ones say so, and forgets nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.diffraction import simulation
from sasnet_plugin.images.diffraction.simulation import SIMULATOR
from sasnet_plugin.images.diffraction.specification import DIFFRACTION, LABELS
from sasnet_plugin.images.training.adapted import adapt, replay
from sasnet_plugin.predict.arithmetic import sigmoid
from sasnet_plugin.predict.predictor import Runtime
from sasnet_plugin.simulate.dataset import inputs_of
from sasnet_plugin.train.last_layer import Layer
from sasnet_plugin.types import Image
from sasnet_plugin.zoo import ZooModel, open_model, register

pytest.importorskip("onnx")
NUMBER = 90
#: Fewer scenes than by default: they are simulated.
FEW = 400


ROUND, LAYERED = LABELS.index("Round"), LABELS.index("Layered")
TAGS = DIFFRACTION.heads[0]


def shots(number: int, seed: int) -> tuple[list[Image], np.ndarray]:
    """A user's frames: round ones and streaks, of many photons."""
    rng = np.random.default_rng(seed)
    kinds = {"round": 1.0, "streak": 1.0}
    rows = [SIMULATOR.clean(simulation.draw_sample(rng, kinds, {}, 1.0)) for _ in range(number)]
    images, targets = SIMULATOR.measure(rows, rng, exposure=1e5)
    return images, targets["tags"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Simulated frames in a file, with their tags."""
    folder = tmp_path_factory.mktemp("labelled")
    images, truth = shots(NUMBER, 4)
    stack = np.stack([np.where(image.mask, image.counts, 0) for image in images])
    np.save(folder / "run.npy", stack.astype(np.int32))
    (folder / "geometry.toml").write_text("direct_beam = [47.5, 47.5]\n")
    return folder, truth


def train(
    folder: Path, tags: list[str], out: Path, scenes: int = 400, start: str = "zoo", accepted: str = ""
) -> str:
    """The command's answer."""
    lines = ["file,entry,accepted,tags"]
    lines += [f"run.npy,{n},{accepted},{tag}" for n, tag in enumerate(tags, start=1)]
    (folder / "tags.csv").write_text("\n".join(lines))
    options = ["train", "--domain", "diffraction", "--start-from", start, "--labels"]
    options += [str(folder / "tags.csv"), "--run", str(folder / "replay"), "--replay", str(scenes)]
    result = CliRunner().invoke(app, [*options, "--zoo", str(out), str(folder / "run.npy")])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def taught(run: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A zoo whose model has learnt all the user's labels, and the command's answer."""
    folder, truth = run
    tags = ["Round;Layered" if one else "Prolate;Streak" for one in truth[:, ROUND] > 0]
    zoo = tmp_path_factory.mktemp("taught")
    return zoo, train(folder, tags, zoo / "diffraction")


def layered(model: ZooModel, images: list[Image]) -> np.ndarray:
    """(n,) probability of "Layered"."""
    said = Runtime(model.onnx, outputs=("tags",)).run(inputs_of(DIFFRACTION, images))["tags"][:, LAYERED]
    known = model.manifest.calibration["tags"]
    return np.asarray(sigmoid(known["slope"][LAYERED] * said + known["offset"][LAYERED]))


def test_images_unlike_the_users_are_called_what_they_were(
    run: tuple[Path, np.ndarray], taught: tuple[Path, str], tmp_path: Path
) -> None:
    folder, truth = run
    tags = ["Round;Layered" if one else "Prolate;Streak" for one in truth[:, ROUND] > 0]
    rng = np.random.default_rng(77)
    scenes, _ = SIMULATOR.measure([SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(200)], rng)
    own, about = shots(60, 78)
    old, changed = open_model("diffraction"), {}
    train(folder, tags, tmp_path / "diffraction", 0)
    for number, zoo in ((400, taught[0]), (0, tmp_path)):
        new = open_model("diffraction", folder=zoo)
        changed[number] = float(np.abs(layered(new, scenes) - layered(old, scenes)).mean())
        p, round_ones = layered(new, own), about[:, ROUND] > 0
        assert p[round_ones].mean() > p[~round_ones].mean() + 0.4
    # Without scenes of its own the network calls by the user's word what he has never seen.
    assert changed[400] < 0.15
    assert changed[0] > 0.3


def test_a_model_goes_on_from_its_own_labels_without_losing_what_was_there_before_them(
    run: tuple[Path, np.ndarray], taught: tuple[Path, str], tmp_path: Path
) -> None:
    folder, truth = run
    tags = ["Round;Layered" if one else "Prolate;Streak" for one in truth[:, ROUND] > 0]
    first, second = (tmp_path / name / "diffraction" for name in ("first", "second"))
    assert "Layered" in train(folder, tags[:50], first)
    assert "Layered" in train(folder, tags, second, start=str(first))
    old, one, two = (open_model("diffraction", folder=at) for at in (None, first.parent, second.parent))
    assert len({Layer.find(model, TAGS).digest for model in (old, one, two)}) == 1
    # The same labels anew, and more: as if the first fifty had never been learnt alone.
    direct = open_model("diffraction", folder=taught[0])
    images, _ = shots(20, 79)
    np.testing.assert_array_equal(layered(two, images), layered(direct, images))
    assert np.abs(layered(two, images) - layered(one, images)).max() > 0.01


def test_what_was_learnt_of_images_that_are_gone_is_remembered(
    run: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, truth = run
    tags = ["Round;Layered" if one else "Prolate;Streak" for one in truth[:, ROUND] > 0]
    for name, some in (("early", slice(0, 45)), ("late", slice(45, None))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / f"{name}.npy", np.load(folder / "run.npy")[some])
        (tmp_path / name / "geometry.toml").write_text("direct_beam = [47.5, 47.5]\n")
        lines = [f"{name}.npy,{n},{tag}" for n, tag in enumerate(tags[some], start=1)]
        (tmp_path / name / "tags.csv").write_text("\n".join(["file,entry,tags", *lines]))
    model = open_model("diffraction")
    for name in ("early", "late"):
        images, target = [str(tmp_path / name / f"{name}.npy")], tmp_path / name / "zoo" / "diffraction"
        done = adapt(DIFFRACTION, model, tmp_path / name / "tags.csv", images, target, folder / "replay", FEW)
        assert "Layered" in done.better
        register(target)
        model = open_model("diffraction", folder=target.parent)
    assert done.images == NUMBER
    # As if all had come at once, in whatever order.
    both = [str(tmp_path / name / f"{name}.npy") for name in ("late", "early")]
    lines = [(tmp_path / name / "tags.csv").read_text().splitlines()[1:] for name in ("early", "late")]
    (tmp_path / "tags.csv").write_text("\n".join(["file,entry,tags", *lines[0], *lines[1]]))
    target = tmp_path / "both" / "diffraction"
    adapt(DIFFRACTION, open_model("diffraction"), tmp_path / "tags.csv", both, target, folder / "replay", FEW)
    register(target)
    images, _ = shots(20, 79)
    at_once = open_model("diffraction", folder=target.parent)
    np.testing.assert_allclose(layered(model, images), layered(at_once, images), atol=1e-6)
    # The file is there again, and most of its labels have been taken back: these are forgotten.
    path = tmp_path / "early" / "tags.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:26]))
    images = [str(tmp_path / "early" / "early.npy")]
    again = adapt(
        DIFFRACTION, model, path, images, tmp_path / "again" / "diffraction", folder / "replay", FEW
    )
    assert again.images == NUMBER - 45 + 25


def test_scenes_of_a_training_that_was_stopped_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = 50
    monkeypatch.setattr("sasnet_plugin.images.training.adapted.PART", part)
    layer = Layer.find(open_model("diffraction"), TAGS)

    def stop(made: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(DIFFRACTION, layer, TAGS, 2 * part, tmp_path, stop)
    (kept,) = tmp_path.iterdir()
    before = kept.stat().st_mtime_ns
    scenes = replay(DIFFRACTION, layer, TAGS, part + 30, tmp_path)
    assert kept.stat().st_mtime_ns == before
    assert scenes.seen.shape[0] == scenes.truth.shape[0] == part + 30
    assert len(np.unique(scenes.seen, axis=0)) == part + 30
    # What is damaged is made again.
    kept.write_bytes(kept.read_bytes()[:1000])
    np.testing.assert_array_equal(replay(DIFFRACTION, layer, TAGS, part, tmp_path).seen, scenes.seen[:part])


def test_a_tag_follows_the_user_and_what_was_known_stays(
    run: tuple[Path, np.ndarray], taught: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder, truth), (zoo, said) = run, taught
    # This user calls round ones "Layered", too, of which the installed model knows nothing.
    round_ones = truth[:, ROUND] > 0
    assert "Layered" in said
    assert f"{NUMBER} labelled images" in said
    old, new = open_model("diffraction"), open_model("diffraction", folder=zoo)
    assert new.manifest.metrics["adapted"]["images"] == NUMBER
    assert "Layered" in new.manifest.metrics["adapted"]["tags"]
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(zoo))
    result = CliRunner().invoke(
        app, ["classify", str(folder / "run.npy"), "--domain", "diffraction", "--json"]
    )
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    p = np.array([{t["name"]: t["probability"] for t in a["tags"]}.get("Layered", np.nan) for a in answers])
    known = np.isfinite(p)
    assert known.mean() > 0.8
    assert p[known & round_ones].mean() > p[known & ~round_ones].mean() + 0.4
    # Of a tag that was not taken nothing changed.
    taken = np.isin(LABELS, new.manifest.metrics["adapted"]["tags"])
    assert not taken.all()
    images, _ = shots(20, 79)
    asked = inputs_of(DIFFRACTION, images)
    one, two = (Runtime(model.onnx, outputs=("tags",)).run(asked)["tags"] for model in (old, new))
    np.testing.assert_array_equal((one != two).any(axis=0), taken)
    assert new.manifest.calibration == old.manifest.calibration


#: What neither the package nor its extra `web` installs.
ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"keras", "tensorflow", "tf2onnx", "sklearn", "numba", "torch", "jax"}:
            raise ImportError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from sasnet_plugin.__main__ import main
main()
"""


def test_labels_are_learnt_with_what_the_page_of_tags_installs(
    run: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, truth = run
    lines = [f"run.npy,{n},{'Layered' if one > 0 else 'Streak'}" for n, one in enumerate(truth[:, ROUND], 1)]
    (tmp_path / "tags.csv").write_text("\n".join(["file,entry,tags", *lines]))
    given = ["train", "--domain", "diffraction", "--start-from", "zoo"]
    given += ["--labels", str(tmp_path / "tags.csv")]
    given += ["--replay", "0", "--zoo", str(tmp_path / "zoo" / "diffraction"), str(folder / "run.npy")]
    done = subprocess.run([sys.executable, "-c", ABSENT, *given], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "zoo" / "diffraction" / "model.onnx").exists()


def test_no_tag_is_judged_by_suggestions_that_were_accepted(
    run: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, truth = run
    tags = ["Round;Layered" if one > 0 else "Prolate;Streak" for one in truth[:, ROUND]]
    said = train(folder, tags, tmp_path / "zoo" / "diffraction", accepted="Layered")
    assert f"{NUMBER} accepted suggestions)" in said
    assert "Layered" not in said, "it would be taken if these were the user's own, see above"
    if "no tag is better" not in said:
        assert "loss on own labels of held-out images" in said


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
        (
            ["--start-from", "nowhere/diffraction", "--labels", "tags.csv"],
            "is not the folder of a trained model",
        ),
        (["--labels", "tags.csv"], "folder for checkpoints with --run"),
        (
            ["--domain", "sas1d", "--start-from", "zoo", "--labels", "t.csv", "--zoo", "mine/sas1d"],
            "t.csv: the network for curves cannot learn tags",
        ),
    ],
)
def test_what_cannot_be_started_from_is_a_sentence(options: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["train", "--domain", "diffraction", *options])
    assert result.exit_code != 0
    assert sentence in " ".join((result.output + str(result.exception)).split())
