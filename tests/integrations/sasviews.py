"""Real SasViews for the tests: environments by pip, a screen (Xvfb), and sessions in them.

What is missing is installed: Debian's packages with apt-get (as root), each SasView with pip into an
environment of its own, kept in the folder SASNET_TEST_SASVIEWS or in the user's cache.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_machine import install_debian, one_at_a_time

DRIVER = Path(__file__).with_name("sasview_driver.py")
SCENARIOS = Path(__file__).with_name("sasview_scenarios.py")
NEWEST = "6.2.0"
#: Seconds for a whole session, on a machine that has other things to do.
PATIENCE = 900
_PACKAGES = (
    "xvfb", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-cursor0", "libxcb-image0", "libxcb-render-util0",
    "libxcb-shape0", "libxcb-randr0", "libxcb-xkb1", "libxcb-xinerama0", "libxkbcommon-x11-0", "libegl1",
    "libgl1", "libgl1-mesa-dri", "libglu1-mesa", "libopengl0", "libdbus-1-3", "libfontconfig1",
    "libglib2.0-0", "fonts-dejavu-core",
)  # fmt: skip
_LIBRARIES = (
    "xcb-icccm", "xcb-keysyms", "xcb-cursor", "xcb-image", "xcb-render-util", "xcb-xkb", "xkbcommon-x11",
    "EGL", "GL", "GLU", "OpenGL", "dbus-1", "fontconfig",
)  # fmt: skip


def prepare_screen() -> None:
    """Install Xvfb and the libraries of Qt, if they are not there."""
    missing = [name for name in _LIBRARIES if ctypes.util.find_library(name) is None]
    if shutil.which("Xvfb") is not None and not missing:
        return
    install_debian(*_PACKAGES)


def environment_with(version: str) -> Path:
    """The Python of an environment with this SasView, made on first use by whichever process comes first."""
    folder = _cache() / f"sasview-{version}"
    if version != NEWEST:
        environment_with(NEWEST)
    with one_at_a_time(folder.name):
        if not (folder / "complete").exists():
            if version == NEWEST:
                # SasView needs pkg_resources, which setuptools 81 left out.
                _make(folder, [f"sasview=={version}", "setuptools<81"])
            else:
                # Nearly all that it needs lies beside the newest: two gigabytes once, not twice.
                _make(folder, ["--no-deps", f"sasview=={version}", "pyausaxs==1.0.4"])
                (own,) = (folder / "lib").glob("python3.*/site-packages")
                (shared,) = (_cache() / f"sasview-{NEWEST}" / "lib").glob("python3.*/site-packages")
                (own / "shared.pth").write_text(f"{shared}\n", encoding="utf-8")
            (folder / "complete").touch()
    return folder / "bin" / "python"


def _cache() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SASNET_TEST_SASVIEWS") or Path(cache, "sasnet-tests"))


def _make(folder: Path, wanted: list[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([_python(12), "-m", "venv", str(folder)], check=True, timeout=300)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    # SasView has versions of its own: what those of sasnet's tests are held to does not hold for it.
    own = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    done = subprocess.run(
        [*pip, "--no-compile", *wanted], timeout=1800, capture_output=True, text=True, env=own
    )
    assert done.returncode == 0, done.stderr[-3000:]


def _python(minor: int) -> str:
    """A Python of this minor version or a newer one that SasView runs on; Debian's, if there is none yet."""
    if (sys.version_info.major, sys.version_info.minor) in ((3, minor), (3, minor + 1)):
        return sys.executable
    names = [f"python3.{each}" for each in (minor, minor + 1)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    found = [shutil.which(name) for name in names]
    found += [
        str(path) for each in (minor, minor + 1) for path in sorted(pyenv.glob(f"3.{each}.*/bin/python"))
    ]
    for path in found:
        if path and subprocess.run([path, "-m", "venv", "--help"], capture_output=True).returncode == 0:
            return path
    for name in names:
        with suppress(AssertionError):
            install_debian(name, f"{name}-venv")
            return name
    raise AssertionError(f"SasView 6.2 needs a Python 3.{minor} or 3.{minor + 1}: put one on the path.")


@contextmanager
def screen() -> Iterator[str]:
    """An X server without a monitor; yields its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@dataclass(frozen=True)
class Home:
    """A home folder of its own for SasView and `sasnet sasview`: settings, logs, plugin models.

    Parameters
    ----------
    folder : Path
    shares : bool
        SasView's sessions keep compiled models where all tests do, so that none is compiled twice; else here.
    """

    folder: Path
    shares: bool = True

    @property
    def plugins(self) -> Path:
        """SasView's folder of plugin models."""
        return self.folder / "data" / "SasView" / "plugin_models"

    def variables(self) -> dict[str, str]:
        """The environment of a program that lives here; without sasnet's own path."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "QT_")) and k != "PYTHONPATH"
        }
        places = {f"XDG_{n.upper()}_HOME": str(self.folder / n) for n in ("config", "data", "cache", "state")}
        # As on a machine where nobody has set anything: matplotlib draws into windows, and SasView fits
        # in its own process (with one OpenMP thread it forks a pool from its window, which may never end).
        # Compiled modules are kept beside SasView's own, by the first of many starts.
        for name in ("MPLBACKEND", "OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"):
            kept.pop(name, None)
        return kept | places | {"HOME": str(self.folder), "SAS_OPENCL": "none"}

    def sasnet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``sasnet sasview`` here."""
        path = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        command = [sys.executable, "-m", "sasnet_plugin", "sasview", *arguments]
        return subprocess.run(
            command, env=self.variables() | path, capture_output=True, text=True, timeout=PATIENCE
        )

    def files(self, part: str) -> list[Path]:
        """All files and folders whose name holds this part."""
        return sorted(path for path in self.folder.rglob("*") if part in path.name.lower())

    def session(
        self, start: Sequence[str], scenario: str, files: Sequence[Path] = (), **more: Any
    ) -> dict[str, Any]:
        """Start SasView with a command, go through a scenario of `sasview_driver`, and wait for its end.

        Returns
        -------
        seen : dict
            What the scenario has noted, with the exit status and SasView's log as ``status`` and ``log``.
        """
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        (out / "seen.json").unlink(missing_ok=True)
        self.plugins.mkdir(parents=True, exist_ok=True)
        shutil.copy(DRIVER, self.plugins / "zz_driver.py")
        told = {
            "SASNET_SCENARIOS": str(SCENARIOS),
            "SASNET_SCENARIO": scenario,
            "SASNET_OUT": str(out),
            "SASNET_FILES": json.dumps(list(map(str, files))),
        }
        told |= {f"SASNET_{k.upper()}": v if isinstance(v, str) else json.dumps(v) for k, v in more.items()}
        path = {}
        if start[0] == sys.executable and "PYTHONPATH" in os.environ:
            path = {"PYTHONPATH": os.environ["PYTHONPATH"]}
        if self.shares:
            own = Path.home() / ".sasmodels" / "compiled_models"
            told["SAS_DLL_PATH"] = os.environ.get("SAS_DLL_PATH") or str(own)
        with screen() as name, open(self.folder / "log", "w", encoding="utf-8") as log:
            environment = self.variables() | told | path | {"DISPLAY": name}
            process = subprocess.Popen(
                start,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
            )
            try:
                status = process.wait(timeout=PATIENCE)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        text = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        assert (out / "seen.json").exists(), (
            f"SasView ended with {status} before the scenario did:\n{text[-3000:]}"
        )
        seen: dict[str, Any] = json.loads((out / "seen.json").read_text(encoding="utf-8"))
        assert "failure" not in seen, f"{seen['failure']}\n{text[-2000:]}"
        return seen | {"status": status, "log": text}


def lines_of_sasnet(log: str) -> list[str]:
    """What SasView's log says of sasnet."""
    # The folder that the tests put SasView into has the name too.
    log = re.sub(r"\S*/sasnet-tests/\S*", "", log)
    return [line for line in log.splitlines() if re.search(r"sasnet", line) and "zz_driver" not in line]
