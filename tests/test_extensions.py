"""Another distribution adds a kind of measurement, a command and an exporter, and cannot replace ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def site(tmp_path: Path, repository: Path) -> Path:
    """A folder of packages as pip leaves it, with the example of this folder."""
    folder = tmp_path / "site"
    about = folder / "sasnet_example-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: sasnet-example\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[sasnet.extensions]\nexample = sasnet_example\n")
    (folder / "sasnet_example").symlink_to(repository / "tests/extension_example/sasnet_example")
    return folder


def sasnet(site: Path, repository: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (site, repository, repository / "tests/dots")))
    command = [sys.executable, "-m", "sasnet_plugin", *map(str, arguments)]
    return subprocess.run(
        command, cwd=site.parent, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


def test_a_package_adds_a_command_a_kind_and_a_file_of_each_export(site: Path, repository: Path) -> None:
    q = np.geomspace(0.005, 0.3, 60)
    curve = site.parent / "power.dat"
    error = 0.02 * q**-2.0
    noise = error * np.random.default_rng(1).standard_normal(q.size)
    np.savetxt(curve, np.column_stack([q, q**-2.0 + noise, error]))
    said = sasnet(site, repository, "invariant", curve)
    assert float(said.stdout) == pytest.approx(q[-1] - q[0], rel=0.02), said.stderr
    described = sasnet(site, repository, "-h").stdout
    assert "Added by other packages" in described
    assert "Print the sum of q² I(q)" in described
    assert "dots" in sasnet(site, repository, "classify", "--help").stdout
    fit = ("fit", curve, "--models", "power_law", "--export", "out")
    done = sasnet(site, repository, *fit)
    assert done.returncode == 0, done.stdout + done.stderr
    (table,) = (site.parent / "out").glob("*.residuals.csv")
    residuals = np.genfromtxt(table, delimiter=",", skip_header=2)
    assert residuals[:, 0] == pytest.approx(q, rel=1e-4)
    assert np.std(residuals[:, 1]) == pytest.approx(1, abs=0.3)
    assert sasnet(site, repository, *fit).returncode == 0, "it knows its own files again"


def test_one_that_fails_is_named_and_left_out_and_none_replaces_a_command(
    site: Path, repository: Path
) -> None:
    (site / "sasnet_example").unlink()
    (site / "sasnet_example.py").write_text("COMMANDS = {'fit': 'os:getcwd'}\n")
    assert "Find, fit and check" in sasnet(site, repository, "fit", "--help").stdout
    (site / "sasnet_example.py").write_text("raise RuntimeError('needs a newer system')\n")
    said = sasnet(site, repository, "--version")
    assert said.returncode == 0
    assert "the extension example (sasnet_example) is left out: needs a newer system." in said.stderr
