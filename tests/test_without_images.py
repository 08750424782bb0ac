"""Everything but images works where the folder of images is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sasnet_plugin

#: Imports every module of the package whose libraries are installed.
IMPORT_ALL = """
import importlib, pkgutil, sasnet_plugin
names = [m.name for m in pkgutil.walk_packages(sasnet_plugin.__path__, "sasnet_plugin.")]
assert len(names) > 100 and not any(".images." in name for name in names)
for name in names:
    if name != "sasnet_plugin.__main__" and ".train" not in name and ".integrations" not in name:
        importlib.import_module(name)
"""
#: An installation for developers finds each module of the checkout, whatever the copy lacks.
SITE = """
import sys
places = {f: f"{getattr(f, '__module__', '')}{f!r}".lower() for f in sys.meta_path}
sys.meta_path[:] = [finder for finder, place in places.items() if "editable" not in place]
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> dict[str, str]:
    """A copy of the package without images."""
    root = tmp_path_factory.mktemp("without")
    folder = Path(sasnet_plugin.__file__).parent
    # What is compiled of them comes along: the copies are as old as the files.
    shutil.copytree(folder, root / "sasnet_plugin", ignore=shutil.ignore_patterns("images"))
    (root / "sitecustomize.py").write_text(SITE)
    (root / "model_zoo").symlink_to(repository / "model_zoo")
    return os.environ | {"PYTHONPATH": str(root), "MPLBACKEND": "Agg"}


def run(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=environment["PYTHONPATH"], capture_output=True, text=True, check=False
    )


def test_every_other_module_is_imported(environment: dict[str, str]) -> None:
    done = run(environment, "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr


def test_a_curve_is_classified_and_fitted(environment: dict[str, str], example_data: Path) -> None:
    file = example_data / "sphere_80.txt"
    classified = run(environment, "-m", "sasnet_plugin", "classify", file, "--json")
    assert json.loads(classified.stdout)["models"], classified.stderr
    fitted = run(
        environment, "-m", "sasnet_plugin", "fit", file, "--models", "sphere", "--structure-factor", "none",
        "--json",
    )  # fmt: skip
    assert json.loads(fitted.stdout)["fits"][0]["model"] == "sphere", fitted.stderr


def test_commands_of_images_are_not_listed_and_an_image_is_refused(
    environment: dict[str, str], tmp_path: Path
) -> None:
    import numpy as np

    commands = run(environment, "-m", "sasnet_plugin", "--help").stdout
    assert "classify" in commands
    assert "\n  sort " not in commands
    assert "\n  tag " not in commands
    np.save(tmp_path / "picture.npy", np.ones((8, 8)))
    refused = run(environment, "-m", "sasnet_plugin", "classify", tmp_path / "picture.npy")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
