"""A simulated instrument whose curves and SANS frames come to a Tiled server, and what fails around it.

As at a beamline its files lie where the server can read them, and it registers each with one request, as
Bluesky's TiledWriter does for detectors; or it sends everything to the server, which takes two.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Tiled's client would wait for long by itself; the instrument tries again as it likes.
os.environ.setdefault("TILED_RETRY_ATTEMPTS", "1")

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KEY = "beamtime42"
#: Seconds between two tries to write.
AGAIN = 0.2
#: Tries to start the server.
STARTS = 5
POINTS, SIDE = 150, 128
GEOMETRY = {
    "wavelength": 6.0, "spread": 0.1, "distance": 4000.0, "collimation": 4000.0, "pixel_size": 7.5,
    "source_radius": 10.0, "sample_radius": 5.0, "direct_beam": [(SIDE - 1) / 2, (SIDE - 1) / 2],
}  # fmt: skip
_SERVER = """
import signal, sys
from tiled.server import SimpleTiledServer
server = SimpleTiledServer(
    sys.argv[1], api_key=sys.argv[2], port=int(sys.argv[3]), readable_storage=[sys.argv[4]]
)
print("ready", flush=True)
signal.pause()
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def seconds(pid: int) -> float:
    """CPU-seconds that a process has used; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class TiledServer:
    """A real Tiled server in a process of its own, with what it holds in a folder."""

    folder: Path
    port: int
    process: Any = None
    used: float = 0.0  #: CPU-seconds of its lives before this one.

    @property
    def files(self) -> Path:
        """Folder of files that others write and it may read."""
        return self.folder / "files"

    def start(self) -> float:
        """Start it and wait until it answers; the seconds that that took."""
        began = time.monotonic()
        self.files.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", _SERVER, str(self.folder), KEY, str(self.port), str(self.files)]
        for _ in range(STARTS):
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            if "ready" in self.process.stdout.readline():
                return time.monotonic() - began
            # On a busy machine it gives up after 20 s.
            self.kill()
        raise RuntimeError("the Tiled server does not start; see error.log in its folder")

    def kill(self) -> None:
        """As a power cut does."""
        self.used += seconds(self.process.pid)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@dataclass
class Network:
    """Passes on what is sent to a port, until it is cut."""

    to: int  #: The port that it passes on to.
    port: int = 0
    up: bool = True
    _open: set[socket.socket] = field(default_factory=set)

    def start(self) -> None:
        """Listen."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and let none come."""
        self.up = False
        for one in list(self._open):
            self._close(one)

    def mend(self) -> None:
        """Let connections through again."""
        self.up = True

    def _accept(self, listening: socket.socket) -> None:
        while True:
            here, _ = listening.accept()
            try:
                if not self.up:
                    raise OSError
                there = socket.create_connection(("127.0.0.1", self.to), timeout=5)
                there.settimeout(None)
            except OSError:
                here.close()
                continue
            self._open |= {here, there}
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while content := one.recv(65536):
                other.sendall(content)
        except OSError:
            pass
        self._close(one)
        self._close(other)

    def _close(self, one: socket.socket) -> None:
        self._open.discard(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def sphere(q: Floats, radius: float, spread: float = 0.1) -> Floats:
    """P(q) of polydisperse spheres, 1 at its largest; radius in Å."""
    total = np.zeros_like(q)
    for one in radius * (1 + spread * np.linspace(-2.5, 2.5, 11)):
        x = np.maximum(q * one, 1e-9)
        weight = np.exp(-0.5 * ((one / radius - 1) / spread) ** 2) * one**6
        total += weight * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    return np.asarray(total / total.max())


def curve(rng: np.random.Generator, radius: float) -> dict[str, Floats]:
    """q in nm⁻¹, I and dI of spheres, 2 % errors."""
    q = np.geomspace(0.005, 0.3, POINTS)
    clean = sphere(q, radius) + 1e-3
    sigma = 0.02 * clean + 1e-4
    return {"q": 10 * q, "I": clean + sigma * rng.standard_normal(POINTS), "dI": sigma}


def frame(rng: np.random.Generator, radius: float, counts: float = 2e5) -> NDArray[np.int32]:
    """Counts of spheres on a detector with a beamstop, in the setting of `GEOMETRY`."""
    y, x = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    away = np.hypot(x, y)
    angle = np.arctan(away * GEOMETRY["pixel_size"] / GEOMETRY["distance"])  # type: ignore[operator]
    expected = sphere(4 * np.pi / 6.0 * np.sin(angle / 2), radius) + 2e-3
    expected[away < 4] *= 1e-3
    return rng.poisson(expected * counts / expected.sum()).astype(np.int32)


@dataclass
class Writer:
    """Writes frames at a rate; while the server is away they wait."""

    uri: str
    container: str
    metadata: dict[str, Any]
    files: Path | None  #: Folder of the files that are registered; None sends everything to the server.
    rate: float  #: Hz.
    count: int
    made: Callable[[int], Any]  #: From a number to what is written.
    #: When each was on the server as a whole, by its key, Unix time.
    written: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Write all of them."""
        place = None
        began = time.monotonic()
        for number in range(self.count):
            time.sleep(max(0.0, began + number / self.rate - time.monotonic()))
            key, what = f"{self.container}{number:06d}", self.made(number)
            source = None if self.files is None else file_of(self.files / key, what)
            while key not in self.written:
                try:
                    place = self._place() if place is None else place
                    key = _send(place, key, what) if source is None else register(place, key, source)
                    self.written[key] = time.time()
                except Exception:  # the server is away, whatever its client says of it
                    time.sleep(AGAIN)

    def _place(self) -> Any:
        from tiled.client import from_uri

        root = from_uri(self.uri, api_key=KEY)
        if self.container in root:
            return root[self.container]
        return root.create_container(self.container, metadata=self.metadata)


def file_of(path: Path, what: Any) -> Any:
    """Write a file, a table as Arrow has it or an array as numpy; what Tiled has to know of it."""
    import pyarrow as pa
    from tiled.structures.array import ArrayStructure
    from tiled.structures.core import StructureFamily
    from tiled.structures.data_source import Asset, DataSource, Management
    from tiled.structures.table import TableStructure

    if isinstance(what, dict):
        path, columns = path.with_suffix(".arrow"), pa.table(what)
        with pa.ipc.new_file(str(path), columns.schema) as file:
            file.write_table(columns)
        family, kind = StructureFamily.table, "application/vnd.apache.arrow.file"
        structure, parameter, number = TableStructure.from_dict(what), "data_uris", 0
    else:
        path = path.with_suffix(".npy")
        np.save(path, what)
        family, kind = StructureFamily.array, "application/x-npy"
        structure, parameter, number = ArrayStructure.from_array(what), "data_uri", None
    asset = Asset(data_uri=path.resolve().as_uri(), is_directory=False, parameter=parameter, num=number)
    return DataSource(
        structure_family=family, structure=structure, mimetype=kind, management=Management.external,
        assets=[asset],
    )  # fmt: skip


def register(place: Any, key: str, source: Any) -> str:
    """Tell the server of a file; a server that was killed may know it already."""
    try:
        place.new(source.structure_family, [source], key=key)
    except Exception:
        if key not in place:
            raise
    return key


def _send(place: Any, key: str, what: Any) -> str:
    """Send it; its key, which is another where a server that was killed has left half of it behind."""
    try:
        if isinstance(what, dict):
            place.write_table(what, key=key)
        else:
            place.write_array(what, key=key)
    except Exception:
        if key not in place:
            return _send(place, f"{key}again", what)
        # Its place was made before the server went.
        import pandas as pd

        place[key].write(pd.DataFrame(what) if isinstance(what, dict) else what)
    return key
