"""Images sorted without labels: clusters found, resumed, assigned to, listed by likeness; a page of them."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.diffraction import sorting
from sasnet_plugin.images.diffraction.sorting import SORTING
from sasnet_plugin.types import SasnetError

N, EACH = 48, 40


def stack(rng: np.random.Generator, lobes: int, number: int = EACH, level: float = 60.0) -> np.ndarray:
    """Frames of rings with lobes, each turned at random."""
    row, column = np.mgrid[:N, :N] - (N - 1) / 2
    radius, angle = np.hypot(row, column), np.arctan2(row, column)
    turn = rng.uniform(0, 2 * np.pi, (number, 1, 1))
    shape = level * np.exp(-radius / 12) * (1 + 0.8 * np.cos(lobes * (angle - turn)))
    return rng.poisson(shape).astype(np.uint16)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two kinds of particles in each of two files, and an empty frame at the end of one."""
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("frames")
    paths = [folder / "one.npy", folder / "two.npy"]
    for path in paths:
        frames = np.concatenate([stack(rng, 2), stack(rng, 3)])
        np.save(path, frames if path == paths[0] else np.concatenate([frames, frames[:1] * 0]))
    return paths


def sasnet(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_two_kinds_are_two_clusters_whatever_their_turn(files: list[Path], tmp_path: Path) -> None:
    out, page = tmp_path / "sorted.h5", tmp_path / "page.html"
    like = f"{files[0]}:2"
    how = "--geometry", "radius=23", "--embedding", "harmonics"
    text = sasnet("sort", *files, "--out", out, "--report", page, "--like", like, *how)
    assert "161 images in 2 clusters" in text
    found = sorting.read(out)
    kind = np.tile(np.repeat([0, 1], EACH), 2)
    known = found.cluster[:-1] != sorting.NOISE
    first = found.cluster[0]
    assert np.mean((found.cluster[:-1] == first)[known] == (kind == 0)[known]) > 0.97
    assert known.mean() > 0.95
    assert found.cluster[-1] == sorting.NOISE  # nothing to be seen, nothing said
    assert found.probability[-1] == 0
    # The image itself is the likest, and those after it are of its kind.
    listed = [line.split() for line in text.splitlines() if "  cluster " in line]
    assert listed[0][0] == like
    assert {words[2] for words in listed} == {str(first)}
    with (tmp_path / "sorted.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["entry"] for row in rows] == [str(n) for n in (*range(1, 81), *range(1, 82))]
    assert [int(row["cluster"]) for row in rows] == list(found.cluster)
    with h5py.File(out) as file:
        assert file["embedding"].shape[0] == 161
        assert int(file["version"][()]) == sorting.VERSION
    # Map, BIC, likeness, two clusters, noise; and a row of images along each component.
    rows_along = sorting.traverse_components(out, found.mixture)
    assert page.read_text(encoding="utf-8").count("<figure>") == 6 + len(rows_along)
    assert 0 < len(rows_along) <= SORTING.traversed
    with h5py.File(out) as file:
        z = found.mixture.reduce(file["embedding"][()])
    # Along a component it grows; the largest one goes from one kind to the other.
    assert all(np.all(np.diff(z[row, k]) > 0) and len(row) > 2 for k, row in enumerate(rows_along))
    assert found.cluster[rows_along[0][0]] != found.cluster[rows_along[0][-1]]

    new = tmp_path / "new.npy"
    np.save(new, stack(np.random.default_rng(5), 3, 10))
    sasnet("sort", new, "--out", tmp_path / "new.h5", "--old", out, "--geometry", "radius=23")
    again = sorting.read(tmp_path / "new.h5")
    assert np.mean(again.cluster == found.cluster[EACH]) >= 0.8


def test_clusters_of_another_network_s_points_are_not_used(files: list[Path], tmp_path: Path) -> None:
    out, how = tmp_path / "sorted.h5", ("--geometry", "radius=23")
    sasnet("sort", files[0], "--out", out, *how)
    sasnet("sort", files[1], "--out", tmp_path / "next.h5", "--old", out, *how)
    with h5py.File(out, "r+") as file:
        assert "bodies" in file.attrs["networks"]
        file.attrs["networks"] = '{"network": "of last year"}'
    said = sasnet("sort", files[1], "--out", tmp_path / "no.h5", "--old", out, *how, code=1)
    assert "belong to another network" in said
    assert not (tmp_path / "no.h5").exists()


def test_a_stopped_sorting_goes_on_and_ends_the_same(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "SORTING", sorting.SORTING.__class__(part=50))
    names = [str(path) for path in files]
    parts, failed = sorting.plan_parts(names, tmp_path / "a", "harmonics", ())
    assert not failed
    assert sum(end - first for part in parts for _, first, end in part.pieces) == 161
    for part in parts[:2]:
        sorting.make_part(part)
    seen: list[str] = []
    make = sorting.make_part
    monkeypatch.setattr(sorting, "make_part", lambda part: (seen.append(part.path), make(part))[1])
    sorting.embed(parts)
    assert seen == [part.path for part in parts[2:]]
    whole, _ = sorting.plan_parts(names, tmp_path / "b", "harmonics", ())
    sorting.embed(whole)
    for one, two in zip(sorting.points_of(parts), sorting.points_of(whole), strict=True):
        np.testing.assert_array_equal(one.points, two.points)
        np.testing.assert_array_equal(one.entry, two.entry)
    with pytest.raises(Exception, match="other files or with another --embedding"):
        sorting.plan_parts(names[:1], tmp_path / "a", "harmonics", ())


def test_a_file_that_has_changed_is_sorted_anew_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "SORTING", sorting.SORTING.__class__(part=40))
    paths = [tmp_path / f"{k}.npy" for k in range(3)]
    for k, path in enumerate(paths):
        np.save(path, stack(np.random.default_rng(k), 2))
    out, how = tmp_path / "sorted.h5", ("--embedding", "harmonics", "--geometry", "radius=23")
    made: list[str] = []
    make = sorting.make_part
    monkeypatch.setattr(
        sorting, "make_part", lambda part: (made.append(Path(part.pieces[0][0]).name), make(part))[1]
    )

    def points() -> np.ndarray:
        with h5py.File(out) as file:
            return np.asarray(file["embedding"][()])

    sasnet("sort", *paths, "--out", out, *how)
    first = points()
    made.clear()
    sasnet("sort", *paths, "--out", out, *how)
    assert made == [], "nothing has changed"
    np.save(paths[1], stack(np.random.default_rng(9), 3))
    sasnet("sort", *paths, "--out", out, *how)
    assert made == ["1.npy"]
    second = points()
    np.testing.assert_array_equal(second[:EACH], first[:EACH])
    np.testing.assert_array_equal(second[2 * EACH :], first[2 * EACH :])
    fresh = tmp_path / "fresh.h5"
    sasnet("sort", *paths, "--out", fresh, *how)
    with h5py.File(fresh) as file:
        np.testing.assert_array_equal(second, file["embedding"][()])
    np.save(paths[2], stack(np.random.default_rng(8), 3, 60))  # a stack that has grown
    sasnet("sort", *paths, "--out", out, *how)
    assert len(points()) == 140
    assert len(list((tmp_path / "sorted.parts").glob("part-*.npz"))) == 4, "those of before are gone"
    made.clear()
    sasnet("sort", *paths, "--out", out, *how, "--force")
    assert len(made) == 4, "all of it"


def test_a_file_that_changes_while_it_is_sorted_gives_no_points(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.npy"
    np.save(path, stack(np.random.default_rng(1), 2))
    (part,), _ = sorting.plan_parts([str(path)], tmp_path / "parts", "harmonics", ())
    np.save(path, stack(np.random.default_rng(2), 3))
    with pytest.raises(SasnetError, match="changed while it was read"):
        sorting.make_part(part)
    assert not Path(part.path).exists()


def test_what_cannot_be_sorted_is_one_sentence(files: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.npy"
    bad.write_bytes(b"no numbers")
    assert "nothing was written" in sasnet("sort", bad, "--out", tmp_path / "x.h5", code=1)
    few = tmp_path / "few.npy"
    np.save(few, stack(np.random.default_rng(2), 2, 3))
    assert "have enough signal to be sorted" in sasnet("sort", few, "--out", tmp_path / "y.h5", code=1)
    assert "is none of" in sasnet("sort", few, "--embedding", "colour", code=2)
    other = tmp_path / "mine.h5"
    other.write_bytes(b"precious")
    assert "was not written by this command" in sasnet("sort", few, "--out", other, code=1)
    assert "is not a file of 'sasnet sort'" in sasnet(
        "sort", few, "--old", bad, "--out", tmp_path / "z.h5", code=1
    )


def test_a_mixture_is_scikit_learn_s_and_survives_being_stored() -> None:
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(3)
    points = np.concatenate([rng.normal(at, 1, (200, 12)) for at in (0, 6)])
    found = sorting.fit(points, rng)
    labels, probability = found.clusters(points)
    assert len(found.weights) == 2
    assert found.stability > 0.95
    z = found.reduce(points)
    theirs = GaussianMixture(2, random_state=0).fit(z)
    kept = labels != sorting.NOISE
    agree = np.mean(labels[kept] == theirs.predict(z)[kept])
    assert max(agree, 1 - agree) > 0.99
    stored = sorting.Mixture.from_arrays(found.as_arrays())
    np.testing.assert_array_equal(stored.clusters(points)[1], probability)


def test_directions_that_hold_no_variance_do_not_hide_a_cluster() -> None:
    rng = np.random.default_rng(4)
    corners = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4], [4, 4, 4], [-4, 0, 0]], dtype=float)
    kind = np.repeat(np.arange(len(corners)), 20)
    points = np.hstack([corners[kind] + 0.25 * rng.normal(size=(120, 3)), 0.02 * rng.normal(size=(120, 9))])
    found = sorting.fit(points, rng)
    assert found.axes.shape == (3, 12)
    assert len(found.weights) == 6
    labels, _ = found.clusters(points)
    known = labels != sorting.NOISE
    assert len(set(zip(kind[known], labels[known], strict=True))) == 6
