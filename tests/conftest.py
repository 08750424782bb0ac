"""What every test needs: no window, no GPU compiler, one thread, and the way to the reference files."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings
from slow import SLOW_FILES, SLOW_TESTS

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("SAS_OPENCL", "none")
# The matrices here are small: with a thread for each core they cost many times the processor's time, as the
# threads wait for each other, above all where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Sentences name options of the command line, as the program's do, unless a test says who else reads.
os.environ.setdefault("SASNET_SURFACE", "command")
# A shell starts what it runs in the background with SIGINT ignored, and children inherit that: the tests of
# Ctrl-C would then press a key that is not connected.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes depends on what else runs: no test measures time.
settings.register_profile("sasnet", deadline=None)
settings.load_profile("sasnet")


@pytest.fixture(autouse=True)
def surface(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that a test starts in this process decides for no other test who reads."""
    monkeypatch.setenv("SASNET_SURFACE", "command")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def example_data() -> Path:
    """sasdata's folder of 1D example files; installed with it."""
    import sasdata

    return Path(sasdata.__file__).parent / "example_data" / "1d_data"


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Fill a folder for tests of several files, which only read it; one of pytest's processes does it."""
    import fcntl

    here = factory.getbasetemp()
    root = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    with (root / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            (root / name).mkdir(exist_ok=True)
            make(root / name)
            lock.write("made")
    return root / name


@pytest.fixture(scope="session")
def simulated_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of growing films, the fewest that are simulated; to be read."""
    from sasnet_plugin.images.growth.simulation import SIMULATOR
    from sasnet_plugin.simulate.dataset import Request, plan

    def make(folder: Path) -> None:
        deque(plan(SIMULATOR, folder, Request(rounds=1, seed=4, scale=0.1)).run(), maxlen=0)

    return make_once(tmp_path_factory, "films", make)


@pytest.fixture(scope="session", autouse=True)
def _processes_of_every_test() -> Iterator[None]:
    """Let fits take processes of the test before: what pytest says of itself changes nothing that they do."""
    from sasnet_plugin.workers import pool

    def read_environment() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "read_environment", read_environment)
        yield


#: What names a module of images, a helper that needs them, or a benchmark of them.
_ABOUT_IMAGES = re.compile(
    r"sasnet_plugin\.images|\b(?:imagefiles|tinypatterns|detectorfiles|formula_bodies)\b|benchmarks\.images"
)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Without the part for images leave its tests out, so that those of all else can be run alone."""
    if find_spec("sasnet_plugin.images") is not None or collection_path.suffix != ".py":
        return None
    inside = (Path(__file__).parent / "images") in collection_path.parents
    return inside or bool(_ABOUT_IMAGES.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_configure(config: pytest.Config) -> None:
    """Keep pytest-xdist to our order of files; its own begins with those of many tests, the quick ones."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect in one of pytest's processes at a time: the first compiles what others read."""
    import fcntl

    with open(__file__, "rb") as own:
        fcntl.flock(own, fcntl.LOCK_EX)
        gc.disable()
        try:
            return (yield)
        finally:
            gc.enable()
            # Modules and tests stay until the end: no search for what can be thrown away passes over them.
            gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, for ``pytest -m "not slow"``; CI runs everything, files with slow tests first."""
    slow = set()
    for item in items:
        if item.path.stem in SLOW_FILES or getattr(item, "originalname", item.name) in SLOW_TESTS:
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow"):
            slow.add(item.path)
    # Two processes share the files: neither is to be left with a long one at the end. Nor is one to wait
    # while the other installs SasView: a file of those that need it comes first, the rest after what is slow.
    sasview = {
        item.path for item in items if {"sasview61", "sasview62"} & set(getattr(item, "fixturenames", ()))
    }
    installs = next((item.path for item in items if item.path in sasview), None)
    items.sort(key=lambda item: (item.path != installs, item.path not in slow, item.path in sasview))
