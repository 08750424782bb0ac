"""Training learns, survives a kill, and what is exported answers as what was trained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

CONFIG = {"steps": 140, "batch": 64, "learning_rate": 4e-3, "save_every": 20, "mixed": False}
NET = {"stem": 8, "stages": ((8, 1), (16, 1)), "dense": 32, "dense_blocks": 1}
SMALL = f"""
import sys
from pathlib import Path
from sasnet_plugin.domains.sas1d import SAS1D
from sasnet_plugin.train.loop import TrainConfig, train

if __name__ == "__main__":
    said = lambda step, loss: print(step, loss, flush=True)
    train(*map(Path, sys.argv[1:]), TrainConfig(**{CONFIG!r}), domain=SAS1D, net={NET!r}, progress=said)
"""


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def finished(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A run of 140 steps, killed with SIGKILL after a checkpoint, and the steps of its second start, here."""
    from sasnet_plugin.domains.sas1d import SAS1D
    from sasnet_plugin.train.loop import TrainConfig, train

    folder = tmp_path_factory.mktemp("run")
    script = folder / "small.py"
    script.write_text(SMALL, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, script, shards, folder / "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line.split()[0]) >= 40:
            break
    # Step 40 is reported before its checkpoint is written: the kill comes somewhere around that.
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 60.0
    while _alive(process.pid):  # what measured examples for it ends, too
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not (folder / "run" / "final.weights.h5").exists()
    steps: list[int] = []
    train(
        shards, folder / "run", TrainConfig(**CONFIG), domain=SAS1D, net=NET,
        progress=lambda step, loss: steps.append(step),
    )  # fmt: skip
    return folder / "run", steps


def test_a_killed_run_goes_on_where_it_was(finished: tuple[Path, list[int]]) -> None:
    run, steps = finished
    assert (run / "final.weights.h5").exists()
    assert steps[0] >= 40, "the first steps were done again"
    assert steps[-1] == 140


def test_a_worker_that_is_killed_ends_the_training_with_a_sentence(shards: Path) -> None:
    from sasnet_plugin.domains.sas1d import SAS1D
    from sasnet_plugin.train.feed import Feed
    from sasnet_plugin.types import SimulationError

    feed = Feed(SAS1D, shards, seed=0, batch=4)
    examples = iter(feed)
    inputs, targets = next(examples)
    assert len(inputs) == len(next(iter(targets.values()))) == 4
    os.kill(feed._pool.pids[0], signal.SIGKILL)
    with pytest.raises(SimulationError, match="continues from the last checkpoint"):
        deque(examples, maxlen=0)
    feed.close()


def test_other_settings_are_refused(shards: Path, finished: tuple[Path, list[int]]) -> None:
    from sasnet_plugin.domains.sas1d import SAS1D
    from sasnet_plugin.train.loop import TrainConfig, train
    from sasnet_plugin.types import SasnetError

    with pytest.raises(SasnetError, match="other settings"):
        train(shards, finished[0], TrainConfig(steps=7), domain=SAS1D)


def test_packaged_model_answers_as_trained_and_has_learned(
    shards: Path, finished: tuple[Path, list[int]], tmp_path: Path
) -> None:
    from sasnet_plugin.domains.sas1d import SAS1D
    from sasnet_plugin.report.evaluation import evaluate, predict
    from sasnet_plugin.simulate.examples import concatenate, other_set, protocol_set
    from sasnet_plugin.simulate.library import Library
    from sasnet_plugin.train.package import package
    from sasnet_plugin.zoo import open_model, verify

    package(finished[0], shards, shards, tmp_path / "sas1d", domain=SAS1D, per_model=12)
    (tmp_path / "registry.json").write_text('{"sas1d": {"path": "sas1d", "domain": "sas1d"}}')
    model = open_model("sas1d", folder=tmp_path)
    verify(model)

    stored = np.load(tmp_path / "sas1d" / "parity.npz")
    from sasnet_plugin.predict.predictor import Predictor, Runtime

    found = Runtime(model.onnx, outputs=("form", "scope")).run(
        {"features": stored["features"].astype(np.float32)}
    )
    np.testing.assert_allclose(found["form"], stored["form"], atol=0.05)
    np.testing.assert_allclose(found["scope"], stored["scope"], atol=0.05)

    library = Library(shards)
    rng = np.random.default_rng(8)
    examples = concatenate([protocol_set(library, rng, per_model=25), other_set(library, rng, per_kind=10)])
    result = evaluate(predict(examples, Predictor.load(model)), examples, model.manifest)
    assert result["all"]["count"] == 100
    # Four models: chance is a quarter; a lamellar, a sphere and a Lorentzian are easily told apart.
    assert result["all"]["top1"] > 0.45
    assert result["all"]["top5"] == 1.0


def test_every_curve_is_drawn_once_and_batches_mix_settings() -> None:
    from sasnet_plugin.domains.sas1d import SAS1D
    from sasnet_plugin.train.feed import Feed

    feed = Feed(SAS1D, Path("nowhere"), seed=0, batch=32, workers=0)
    # In the order in which they are measured, 64 to a setting.
    numbers = np.arange(4096)
    for part in np.split(numbers, 64):
        feed._store({"features": part[:, None].astype(np.float32)}, {"form": part})
    batches = [targets["form"] for _, (_, targets) in zip(range(100), feed, strict=False)]
    drawn = np.concatenate(batches)
    assert len(set(drawn.tolist())) == drawn.size == 3200
    assert min(len(set((batch // 64).tolist())) for batch in batches) > 16
