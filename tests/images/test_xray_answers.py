"""The packaged network for X-ray scattering images, from a file to the answer; a calibrant's real frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.xray_tags.simulation import SIMULATOR
from sasnet_plugin.images.xray_tags.specification import LABELS, PARENTS

NUMBER = 60


def present(answer: dict) -> set[str]:
    return {tag["name"] for tag in answer["tags"] if tag["present"]}


def classified(folder: Path, frames: list[np.ndarray], name: str, *options: str) -> list[dict]:
    np.save(folder / name, np.stack(frames).astype(np.int32))
    arguments = ["classify", str(folder / name), "--domain", "xray_tags", "--json", *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict], np.ndarray]:
    """Of simulated images, each a square of 128 pixels, and what is true of them."""
    rng, folder = np.random.default_rng(21), tmp_path_factory.mktemp("frames")
    rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(NUMBER)]
    images, targets = SIMULATOR.measure(rows, rng)
    frames, truth = [], []
    for image, tags in zip(images, targets["tags"], strict=True):
        if image.counts.shape == (128, 128):
            frames.append(np.where(image.mask, image.counts, -1))
            truth.append(tags)
    return classified(folder, frames, "run.npy"), np.array(truth)


def test_an_answer_has_the_keys_that_programs_read(answers: tuple[list[dict], np.ndarray]) -> None:
    one = next(answer for answer in answers[0] if answer["tags"])
    assert list(one) == ["file", "entry", "tags", "in_scope", "notes"]
    assert [tag["name"] for tag in one["tags"]] == list(LABELS)
    assert set(one["tags"][0]) == {"name", "probability", "present"}
    p = {tag["name"]: tag["probability"] for tag in one["tags"]}
    assert all(p[child] <= p[parent] for child, parent in PARENTS.items())


def test_tags_are_told_far_better_than_by_chance(answers: tuple[list[dict], np.ndarray]) -> None:
    said, truth = answers
    known = [row for row, answer in enumerate(said) if answer["tags"]]
    assert len(known) > 0.75 * len(said)
    p = np.array([[tag["probability"] for tag in said[row]["tags"]] for row in known])
    truth = truth[known]
    for name in ("ring", "weak_scattering", "high_background"):
        k = LABELS.index(name)
        there = truth[:, k] > 0
        assert np.median(p[there, k]) > np.median(p[~there, k]) + 0.3, name
    # Calibrated in the mean: as often as the tags are there, within what 40 images tell.
    assert p.mean() == pytest.approx(truth.mean(), abs=0.06)


def test_empty_and_foreign_frames_are_unlike_anything_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    row, column = np.mgrid[:128, :128]
    board = 200.0 * ((row // 16 + column // 16) % 2) + 5
    slope = np.broadcast_to(np.linspace(2, 90, 128), (128, 128))
    frames = [
        rng.poisson(np.full((128, 128), 3.0)),
        rng.poisson(board),
        rng.poisson(slope),
        np.zeros((128, 128)),
    ]
    found = classified(tmp_path, frames, "foreign.npy")
    refused = [answer for answer in found if not answer["tags"]]
    assert len(refused) >= 3
    assert any("0 counts in all, too few to tag" in note for note in found[-1]["notes"])
    assert found[-1]["in_scope"] == 0
    assert all(any("unlike all training data of this model" in note for note in a["notes"]) for a in refused)
