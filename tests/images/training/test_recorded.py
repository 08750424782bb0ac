"""A user's own tags: a table, its images, and the dataset that is made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.images.diffraction.specification import DIFFRACTION, LABELS
from sasnet_plugin.images.training.adapted import read_labelled, record
from sasnet_plugin.simulate.dataset import Stream, draw_held_out
from sasnet_plugin.types import SasnetError

pytest.importorskip("keras")  # of the package it lies in


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Forty frames, the odd ones bright."""
    rng = np.random.default_rng(1)
    row, column = np.mgrid[:48, :48] - 23.5
    shape = np.exp(-np.hypot(row, column) / 8)
    level = np.where(np.arange(40) % 2, 50.0, 5.0)[:, None, None]
    np.save(tmp_path / "run.npy", rng.poisson(level * shape))
    return tmp_path / "run.npy"


def test_labelled_images_are_a_dataset_with_their_labels(run: Path, tmp_path: Path) -> None:
    lines = ["file,entry,tags,Layered"]
    lines += [f"run.npy,{n},{'Round' if n % 2 else 'Empty'},{1 if n == 3 else ''}" for n in range(1, 31)]
    (tmp_path / "tags.csv").write_text("\n".join(lines))
    domain, data, validation = record(DIFFRACTION, tmp_path / "tags.csv", [str(run)], tmp_path / "out")
    inputs, targets = Stream(domain, data, np.random.default_rng(0)).take()
    level, tags = inputs["level"], targets["tags"]
    # The even ones, from 1, are bright; and Round implies its parent.
    bright = level > 3.8
    assert 0.2 < bright.mean() < 0.8
    np.testing.assert_array_equal(tags[:, LABELS.index("Empty")], bright.astype(float))
    np.testing.assert_array_equal(tags[:, LABELS.index("Spherical/Oblate")], (~bright).astype(float))
    from sasnet_plugin.images.training.adapted import SIMULATOR
    from sasnet_plugin.simulate.dataset import Dataset

    kept = draw_held_out(
        domain, Dataset(validation, SIMULATOR), np.random.default_rng(0), known_count=8, others=0
    )
    assert kept.inputs["features"].shape[0] == 8
    assert [head.name for head in domain.heads] == ["tags"]


def test_files_of_one_name_in_two_folders_keep_their_own_labels(run: Path, tmp_path: Path) -> None:
    images = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        images.append(str(tmp_path / folder / "run.npy"))
        np.save(images[-1], np.load(run)[:12])
    lines = [f"first/run.npy,{n},Round" for n in range(1, 13)]
    lines += [f"./second/run.npy,{n},Empty" for n in range(1, 13)]
    (tmp_path / "tags.csv").write_text("\n".join(["file,entry,tags", *lines]))
    _, found = read_labelled(DIFFRACTION, tmp_path / "tags.csv", images)
    assert [one.tags[LABELS.index("Round")] for one in found] == [1.0] * 12 + [0.0] * 12
    assert [one.tags[LABELS.index("Empty")] for one in found] == [0.0] * 12 + [1.0] * 12


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("a,b\n1,2\n", "needs a column 'file'"),
        ("file,tags\nrun.npy,Square\n", "line 2: 'Square' is not a tag; use Spherical/Oblate"),
        ("file,Round\nrun.npy,maybe\n", "line 2: Round is 'maybe'; give 1, 0 or nothing"),
        ("file,entry,Round\nrun.npy,x,1\n", "'x' is not a frame"),
        ("file,entry,Round\nrun.npy,1,1\n", "1 of its images are among the given files; label at least 20"),
        (None, "cannot be read as CSV"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(
    table: str | None, sentence: str, run: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tags.csv"
    if table is not None:
        path.write_text(table)
    with pytest.raises(SasnetError, match=sentence):
        record(DIFFRACTION, path, [str(run)], tmp_path / "out")
    with pytest.raises(SasnetError, match="cannot learn tags"):
        record(replace(DIFFRACTION, title="curves", heads=()), path, [str(run)], tmp_path / "out")
