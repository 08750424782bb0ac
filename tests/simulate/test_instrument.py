"""Settings obey the frozen protocol's file, which is read here on its own."""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from importlib import resources

import numpy as np
import pytest
from scipy.stats import chisquare

from sasnet_plugin.simulate.draws import draw, loguniform
from sasnet_plugin.simulate.instrument import INSTRUMENTS, Setting, sample_setting
from sasnet_plugin.types import SimulationError

N_SETTINGS = 400
PAGES = tomllib.loads(
    resources.files("sasnet_plugin.simulate").joinpath("realistic_protocol.toml").read_text(encoding="utf-8")
)["instrument"]


@pytest.fixture(scope="module")
def settings() -> dict[str, list[Setting]]:
    rng = np.random.default_rng(11)
    found: dict[str, list[Setting]] = defaultdict(list)
    for _ in range(N_SETTINGS):
        setting = sample_setting(rng)
        found[setting.instrument].append(setting)
    return found


@pytest.fixture(scope="module")
def broad() -> list[Setting]:
    rng = np.random.default_rng(12)
    return [s for s in (sample_setting(rng, broad=True) for _ in range(250)) if s.instrument == "broad"]


def _range(text: str) -> tuple[float, float]:
    low, high = re.findall(r"[\d.]+(?:e-?\d+)?", text)
    return float(low), float(high)


@pytest.mark.parametrize(("name", "page"), list(zip(INSTRUMENTS, PAGES, strict=True)))
def test_window_points_and_counts_are_in_the_ranges_of_the_file(
    settings: dict[str, list[Setting]], name: str, page: dict[str, str]
) -> None:
    for setting in settings[name]:
        assert np.all(np.diff(setting.q) >= 0)
        low, high = _range(page["q_min"])
        assert low <= setting.q[0] * (1 + 1e-9)
        assert setting.q[0] <= high * (1 + 1e-9)
        low, high = _range(page["q_max"])
        top = setting.q[-1] / setting.q[0] if "q_min" in page["q_max"] else setting.q[-1]
        assert low * (1 - 1e-9) <= top <= high * (1 + 1e-9)
        low, high = _range(page["points"])
        assert low <= setting.q.size <= high
        low, high = _range(page["counts"])
        assert low <= setting.counts <= high
        assert np.all(setting.step > 0)
        assert setting.matrix @ np.ones(setting.matrix.shape[1]) == pytest.approx(1.0, abs=1e-9)


def test_instruments_come_as_often_as_the_file_says(settings: dict[str, list[Setting]]) -> None:
    counted = [len(settings[name]) for name in INSTRUMENTS]
    expected = np.array([page["weight"] for page in PAGES]) * N_SETTINGS
    assert chisquare(counted, expected).pvalue > 1e-3


def test_merged_sans_is_denser_at_low_q(settings: dict[str, list[Setting]]) -> None:
    for setting in settings["sans_merged"]:
        third = setting.q.size // 3
        assert np.mean(np.diff(setting.q[:third])) < np.mean(np.diff(setting.q[-third:]))


@pytest.mark.parametrize(
    ("name", "relative", "low", "high"),
    [("sans_merged", 0.045, 3e-4, 1.2e-3), ("sans_single", 0.05, 4e-4, 2e-3)],
)
def test_sans_resolution_is_the_stated_formula(
    settings: dict[str, list[Setting]], name: str, relative: float, low: float, high: float
) -> None:
    for setting in settings[name]:
        assert setting.dq is not None
        constant = np.sqrt(setting.dq**2 - (relative * setting.q) ** 2)
        assert constant == pytest.approx(constant[0], rel=1e-6)
        assert low <= constant[0] <= high


def test_stated_resolution_is_what_the_matrix_blurs_with(settings: dict[str, list[Setting]]) -> None:
    # The Gaussian cut at -2.5 and +3 sigma has a standard deviation of 0.97 sigma and a mean 0.01 sigma high.
    setting = settings["sans_merged"][0]
    assert setting.dq is not None
    from sasnet_plugin.simulate.grid import WIDE_Q

    mean = setting.matrix @ WIDE_Q
    width = np.sqrt(setting.matrix @ WIDE_Q**2 - mean**2)
    assert mean == pytest.approx(setting.q, abs=0.05 * setting.dq.max())
    assert width == pytest.approx(0.97 * setting.dq, rel=0.02)


def test_resolution_is_stated_as_often_as_the_file_says(settings: dict[str, list[Setting]]) -> None:
    tof = [s.dq is not None for s in settings["sans_tof"]]
    assert 0.2 < np.mean(tof) < 0.8
    for setting in settings["sans_tof"]:
        if setting.dq is not None:
            assert setting.dq / setting.q == pytest.approx(setting.dq[0] / setting.q[0])
            assert 0.03 <= setting.dq[0] / setting.q[0] <= 0.12
    slits = [s.dxl is not None for s in settings["saxs_lab"]]
    assert 0.05 < np.mean(slits) < 0.4
    assert all(0.02 <= s.dxl[0] <= 0.1 for s in settings["saxs_lab"] if s.dxl is not None)
    hidden = settings["saxs_lab"] + settings["saxs_synchrotron"] + settings["usaxs_joined"]
    assert all(s.dq is None for s in hidden)


def test_usaxs_is_slit_smeared_below_a_hundredth(settings: dict[str, list[Setting]]) -> None:
    slits = [s for s in settings["usaxs_joined"] if s.dxl is not None]
    assert slits
    for setting in slits:
        assert np.array_equal(setting.dxl > 0, setting.q < 0.01)
        assert 0.02 <= setting.dxl.max() <= 0.06


def test_wider_training_settings_stay_within_what_is_trained(broad: list[Setting]) -> None:
    assert broad
    for setting in broad:
        assert 1e-4 * (1 - 1e-9) <= setting.q[0]
        assert setting.q[-1] <= 1.0 + 1e-9
        assert setting.q[-1] / setting.q[0] >= 5 * (1 - 1e-9)
        if setting.dq is not None:
            assert np.all(setting.dq <= 0.35 * setting.q)
    kinds = Counter(
        ("slit" if s.dxl is not None else "pinhole" if s.dq is not None else "none") for s in broad
    )
    assert set(kinds) == {"slit", "pinhole", "none"}


def test_the_same_generator_gives_the_same_setting() -> None:
    first, second = (sample_setting(np.random.default_rng(3), broad=True) for _ in range(2))
    assert np.array_equal(first.q, second.q)
    assert np.array_equal(first.matrix.toarray(), second.matrix.toarray())


def test_draws_are_those_written() -> None:
    rng = np.random.default_rng(4)
    whole = {draw("integer 1 4", rng) for _ in range(200)}
    assert whole == {1.0, 2.0, 3.0, 4.0}
    logs = np.log10([loguniform(1e-3, 1e3, rng) for _ in range(2000)])
    assert np.histogram(logs, bins=6, range=(-3, 3))[0] == pytest.approx(2000 / 6, rel=0.25)
    with pytest.raises(SimulationError, match="gauss 0 1"):
        draw("gauss 0 1", rng)
