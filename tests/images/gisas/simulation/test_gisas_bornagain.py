"""BornAgain as it is used: linear, mirrored, and the same as from its plain interface."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hexpatterns import ONE_SIZE, SHARP, SMALL, pattern, plain_basis

from sasnet_plugin.images import bornagain
from sasnet_plugin.images.simulation import WINDOW, XI, Geometry, Window
from sasnet_plugin.types import SimulationError


@pytest.mark.parametrize("geometry", [ONE_SIZE, SHARP], ids=["one size", "several sizes"])
def test_a_mixture_of_domains_is_the_sum_of_its_parts(geometry: Geometry) -> None:
    angles, shares = [0.0, 10.5, 37.0, 52.5], [0.4, 0.3, 0.2, 0.1]
    together = pattern(geometry, SMALL, angles, shares)
    apart = [pattern(geometry, SMALL, [angle]) for angle in angles]
    assert np.max(np.abs(together - np.tensordot(shares, apart, 1))) < 1e-12 * together.max()


def test_the_pattern_under_60_minus_xi_is_its_mirror_image() -> None:
    for xi in (0.5, 13.0, 29.5):
        seen = pattern(ONE_SIZE, SMALL, [60 - xi])
        mirrored = pattern(ONE_SIZE, SMALL, [xi])[:, ::-1]
        np.testing.assert_allclose(seen, mirrored, rtol=1e-10, atol=1e-13 * seen.max())
        # And it is another pattern than that under xi: curvature of the Ewald sphere.
        assert np.max(np.abs(seen - mirrored[:, ::-1])) > 1e-6 * seen.max()


def test_the_period_is_60_degrees() -> None:
    once, again = (pattern(ONE_SIZE, SMALL, [xi]) for xi in (7.0, 67.0))
    # Not exact: BornAgain sums over a rhomb of peaks, which a turn by 60 degrees does not bring back.
    np.testing.assert_allclose(once, again, rtol=1e-3)


def test_the_plain_interface_gives_the_same_pattern(repository: Path, tmp_path: Path) -> None:
    script = repository / "tests" / "reference" / "gisas_plain.py"
    subprocess.run([sys.executable, script, tmp_path / "plain.npy"], check=True, timeout=120)
    plain = np.load(tmp_path / "plain.npy")
    geometry = Geometry(
        lattice=360, width=1600, position_spread=15, radius=110, radius_pd=0, wavelength=1.34, alpha_i=0.16
    )
    ours = pattern(geometry, WINDOW, [0.0, 30.0], [0.7, 0.3])
    np.testing.assert_allclose(ours, plain, rtol=1e-9)
    basis = plain_basis(geometry, Window(8, 8))
    coarse = pattern(geometry, Window(8, 8), [0.0, 30.0], [0.7, 0.3])
    np.testing.assert_allclose(0.7 * basis[0] + 0.3 * basis[60], coarse, rtol=1e-12)
    assert (XI[0], XI[60]) == (0.0, 30.0)


def test_only_the_peaks_know_the_angle() -> None:
    """Without order, which a large scatter about the sites destroys, no angle differs from another."""
    lost = Geometry(350, 1500, 5000, 100, 0, 1.34, 0.16)
    window = Window(8, 8, phi=(0.3, 1.07))  # away from q = 0, where order is never lost
    one, other = (pattern(lost, window, [xi]) for xi in (0.0, 17.0))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(one, bornagain.incoherent(lost, window), rtol=1e-10)


def test_a_missing_bornagain_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    bornagain.version.cache_clear()  # an earlier test has asked
    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(SimulationError, match=r"pip install '\.\[gisas\]'") as caught:
        pattern(ONE_SIZE, SMALL, [0.0])
    assert "\n" not in str(caught.value)


def test_importing_sasnet_leaves_bornagain_alone() -> None:
    code = (
        "import sys, sasnet_plugin, sasnet_plugin.images.gisas.specification, sasnet_plugin.cli.main;"
        "print('bornagain' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
