"""Scores of the scoreboard, what it reads from names of files, and its page."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import repositories, scoreboard
from benchmarks.regions import Mark, Range, count_marks, overlap
from benchmarks.scoreboard_rows import fit_problems, glassy_carbon, roberts, round_robin
from benchmarks.scoreboard_rows.scores import agree, f1_scores, likeliest_class, share_right
from benchmarks.scoreboard_rows.section import Request, Row, Section, ask_peer, cpu_seconds
from sasnet_plugin.types import Curve


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    truths = ["a", "a", "a", "b", "b"]
    answers = ["a", "a", "b", "b", "other"]
    scores = f1_scores(truths, answers)
    precision, recall = 2 / 2, 2 / 3
    assert scores["a"] == pytest.approx(2 * precision * recall / (precision + recall))
    precision, recall = 1 / 2, 1 / 2
    assert scores == {"a": scores["a"], "b": pytest.approx(2 * precision * recall / (precision + recall))}


def test_f1_falls_with_each_wrong_answer() -> None:
    assert f1_scores(["a", "b"], ["a", "b"]) == {"a": 1.0, "b": 1.0}
    assert f1_scores(["a", "b"], ["b", "a"]) == {"a": 0.0, "b": 0.0}


def test_overlap_over_union_is_in_ln_q() -> None:
    assert overlap(Mark("power law", 0.01, 1.0), Range("power law", 0.1, 10.0)) == pytest.approx(1 / 3)
    assert overlap(Mark("power law", 0.01, 0.1), Range("power law", 0.2, 1.0)) == 0
    assert overlap(Mark("power law", 0.01, 0.1), Range("power law", 0.01, 0.1)) == pytest.approx(1)


def test_marks_are_counted_by_kind_and_place() -> None:
    q = np.geomspace(1e-3, 1, 10)
    marks = {"a": [Mark("power law", 0.01, 0.1), Mark("background", 0.3, 1.0), Mark("power law", 0.2, 0.3)]}
    found = {
        "a": [
            Range("power law", 0.01, 0.1),  # in place
            Range("background", 0.9, 1.0),  # the right kind in a small part of the mark
            Range("power law", 0.11, 0.19),  # on no mark
        ]
    }
    assert count_marks(marks, found, {"a": Curve(q, q)}, every=False) == ["3", "2", "1", "3", "1"]


def test_shares_have_an_error_that_is_not_zero_where_all_are_right() -> None:
    assert share_right([True] * 7) == "7 of 7 (100.0 ± 9.9 %)"
    large = share_right([True, False] * 5000)
    assert large == "5000 of 10000 (50.0 ± 0.5 %)"  # the binomial error


def test_probabilities_of_models_that_mean_one_class_are_added() -> None:
    classes = {"round": ("sphere", "fuzzy_sphere"), "long": ("cylinder",)}
    assert likeliest_class({"sphere": 0.25, "fuzzy_sphere": 0.25, "cylinder": 0.4}, classes) == "round"
    assert likeliest_class({"sphere": 0.2, "lamellar": 0.5, "cylinder": 0.3}, classes) == "lamellar"


def test_values_agree_within_combined_errors() -> None:
    assert agree(10.0, 3.0, 18.0, 4.0, errors=2.0)
    assert not agree(10.0, 3.0, 21.0, 4.0, errors=2.0)


def test_truth_is_read_from_names_of_files() -> None:
    name = "1D_core_shell_ellipsoid_20_3_30_1_nosmearing_xray_synth.txt"
    assert fit_problems.read_truth(name) == (
        "core_shell_ellipsoid",
        {"radius_equat_core": 20.0, "x_core": 3.0, "thick_shell": 30.0, "x_polar_shell": 1.0},
    )
    model, truth = fit_problems.read_truth("1D_broad_peak_1e-5_3_10_50_0.1_2_neutron_synth.txt")
    assert (model, truth) == ("broad_peak", {"porod_exp": 3.0, "correlation_length": 50.0, "peak_pos": 0.1})


def test_parameters_of_the_fit_problems_exist_in_sasmodels() -> None:
    from sasmodels.core import load_model_info

    for model, names in fit_problems.NAMES.items():
        known = {parameter.name for parameter in load_model_info(model).parameters.call_parameters}
        assert set(filter(None, names)) <= known, model


@pytest.mark.parametrize("model", fit_problems.EQUAL)
def test_models_that_count_as_equal_have_the_same_curve(model: str) -> None:
    from sasmodels.core import load_model
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    densities = {"sld": 4.0, "sld_core": 4.0, "sld_shell": 4.0, "sld_solvent": 1.0, "background": 0.0}
    files = {
        "core_shell_cylinder": "1D_core_shell_cylinder_20_20_400_x_synth.txt",
        "parallelepiped": "1D_parallelepiped_35_75_400_x_synth.txt",
        "flexible_cylinder_elliptical": "1D_flexible_cylinder_elliptical_1000_100_20_x_synth.txt",
    }
    truth = fit_problems.read_truth(files[model])[1]
    data = empty_data1D(np.geomspace(1e-3, 0.1, 30))

    def curve(name: str, values: dict[str, float]) -> np.ndarray:
        kernel = load_model(name)
        known = {parameter.name for parameter in kernel.info.parameters.call_parameters}
        values = {key: value for key, value in (densities | values).items() if key in known}
        intensity = DirectModel(data, kernel)(**values)
        return np.asarray(intensity / intensity[0])

    (equal,) = fit_problems.EQUAL[model]
    other = dict(fit_problems.EQUAL[model][equal])
    if model == "flexible_cylinder_elliptical":
        truth, other = truth | {"axis_ratio": 1.5}, other | {"axis_ratio": 1 / 1.5}
    np.testing.assert_allclose(curve(model, truth), curve(equal, other), rtol=5e-3)


def test_lengths_are_right_in_any_order_where_that_is_a_convention() -> None:
    truth = {"radius_equat_minor": 20.0, "radius_equat_major": 400.0, "radius_polar": 10.0}
    exchanged = {"radius_equat_minor": 10.0, "radius_equat_major": 400.0, "radius_polar": 20.0}
    assert fit_problems.is_close(exchanged, truth, {})
    assert not fit_problems.is_close(exchanged | {"radius_equat_major": 440.0}, truth, {})
    assert fit_problems.is_close({"radius": 56.0}, {"radius": 50.0}, {"radius": 3.0})
    assert not fit_problems.is_close({"radius": 56.0}, {"radius": 50.0}, {"radius": 2.0})


@pytest.mark.parametrize(
    ("distribution", "width"), [("gaussian", 0.15), ("lognormal", 0.2), ("schulz", 0.25)]
)
def test_volume_weighted_means_are_those_of_the_distribution(distribution: str, width: float) -> None:
    rng = np.random.default_rng(7)
    draws = {
        "gaussian": lambda: rng.normal(100, 100 * width, 400_000),
        "lognormal": lambda: 100 * np.exp(width * rng.standard_normal(400_000)),
        "schulz": lambda: rng.gamma(width**-2, 100 * width**2, 400_000),
    }[distribution]()
    expected = np.mean(draws**4) / np.mean(draws**3)
    assert round_robin.volume_mean(100.0, width, distribution) == pytest.approx(expected, rel=0.005)


def test_a_shell_decides_whether_a_cylinder_is_a_disk() -> None:
    assert roberts.flat({"radius": 100.0, "length": 150.0})
    assert not roberts.flat({"radius": 100.0, "length": 250.0})
    assert roberts.flat({"radius": 100.0, "length": 150.0, "thickness": 30.0})


def test_instruments_are_compared_in_scale_and_in_shape() -> None:
    q = np.geomspace(0.03, 0.3, 80)
    intensity = np.exp(-((10 * q) ** 2) / 3)
    rng = np.random.default_rng(3)

    def measured(clean: np.ndarray) -> glassy_carbon.Measured:
        sigma = 0.01 * clean
        curve = Curve(q, clean + sigma * rng.standard_normal(q.size), sigma)
        return glassy_carbon.Measured("C4", "neutrons", "simulated", curve)

    ratio, error, chisq = glassy_carbon.compare(measured(intensity), measured(1.2 * intensity))
    assert abs(math.log(ratio / 1.2)) < 4 * error
    assert error == pytest.approx(0.01 * math.sqrt(2 / np.sum((q >= 0.06) & (q <= 0.19))), rel=0.05)
    assert chisq < 1.6
    assert glassy_carbon.compare(measured(intensity), measured(intensity * q**0.3))[2] > 10


def test_a_clone_at_another_commit_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "pyirena"
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    with pytest.raises(OSError, match="pyirena is at commit"):
        repositories.folder_of(tmp_path, "pyirena")


def test_a_data_set_that_cannot_be_had_stays_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(request: Request) -> Section:
        raise OSError("could not resolve host")

    def present(request: Request) -> Section:
        return Section([Row("spheres", "1 of 2", "not run", "2 of 2", 0.25)], "details")

    sections = {"afl": missing, "roberts": present}
    monkeypatch.setattr(scoreboard, "DATA_SETS", sections)
    page = scoreboard.run(list(sections), Request(tmp_path, tmp_path))
    assert "| not available |  |  | could not resolve host |" in page
    assert "| spheres | 1 of 2 | not run | 2 of 2 | 0.25 |" in page


def test_every_data_set_has_its_texts_and_its_clones() -> None:
    assert set(scoreboard.TEXTS) == set(scoreboard.DATA_SETS)
    assert all(set(text) == {"title", "protocol", "source"} for text in scoreboard.TEXTS.values())
    named = " ".join(text["source"] for text in scoreboard.TEXTS.values())
    assert [name for name in repositories.REPOSITORIES if name not in named] == []


def test_an_error_of_another_program_is_said() -> None:
    assert ask_peer(sys.executable, "import json, sys; print(json.load(sys.stdin) + 1)", 2) == 3
    with pytest.raises(OSError, match="No module named 'nothing_like_it'"):
        ask_peer(sys.executable, "import nothing_like_it", 2)


def test_cpu_seconds_of_children_that_run_are_counted_once() -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("only Linux says what a running child has used")
    before = cpu_seconds()
    busy = "import sys, time\nwhile time.process_time() < 0.6: pass\nprint(1, flush=True)\nsys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    running = cpu_seconds() - before
    child.communicate()
    ended = cpu_seconds() - before
    assert running > 0.55
    assert ended == pytest.approx(running, abs=0.3)
