"""What tests install on the machine that they run on: by one of pytest's processes at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds to wait for whoever else installs.
PATIENCE = 600


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold a lock of this user's processes; it goes with the process that holds it."""
    path = Path(tempfile.gettempdir(), f"sasnet-tests-{os.getuid()}-{name}.lock")
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install_debian(*packages: str) -> None:
    """Install packages of Debian (as root).

    The tests take turns, and wait for others of the machine: ``apt-get install`` for dpkg's lock where asked
    to; ``apt-get update`` has no option for the lock of its lists and is tried again.

    Raises
    ------
    AssertionError
        With what apt-get says.
    """
    options = ["-qq", "-o", f"DPkg::Lock::Timeout={PATIENCE}"]
    install = ["install", "-y", "--no-install-recommends", *packages]
    with one_at_a_time("apt"):
        until = time.monotonic() + PATIENCE
        while (done := _apt(*options, "update")).returncode and time.monotonic() < until:
            if "Could not get lock" not in done.stderr:
                break
            time.sleep(1)
        done = done if done.returncode else _apt(*options, *install)
    assert done.returncode == 0, f"This test needs {', '.join(packages)}; install it. {done.stderr}"


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(
        ["apt-get", *arguments], env=quiet, timeout=2 * PATIENCE, capture_output=True, text=True, check=False
    )
