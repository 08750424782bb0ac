"""A real Tiled server, a network that can be cut, and what tests write to it and how a user names it.

As at a beamline the files of an instrument lie where the server can read them, and it registers each with one
request, as Bluesky's TiledWriter does for detectors.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Tiled's client would wait for long by itself; the instrument tries again as it likes.
os.environ.setdefault("TILED_RETRY_ATTEMPTS", "1")

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KEY = "beamtime42"
#: Tries to start the server.
STARTS = 5
Q = np.geomspace(0.01, 0.3, 100)
SIDE = 128
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


@dataclass
class TiledServer:
    """A real Tiled server in a process of its own, with what it holds in a folder."""

    folder: Path
    port: int
    process: Any = None

    @property
    def files(self) -> Path:
        """Folder of files that others write and it may read."""
        return self.folder / "files"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.files.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", _SERVER, str(self.folder), KEY, str(self.port), str(self.files)]
        for _ in range(STARTS):
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            if "ready" in self.process.stdout.readline():
                return
            # On a busy machine it gives up after 20 s.
            self.kill()
        raise RuntimeError("the Tiled server does not start; see error.log in its folder")

    def kill(self) -> None:
        """As a power cut does."""
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


def frame(rng: np.random.Generator, radius: float, counts: float = 2e5) -> NDArray[np.int32]:
    """Counts of spheres on a detector with a beamstop, in the setting of `GEOMETRY`."""
    y, x = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    away = np.hypot(x, y)
    angle = np.arctan(away * GEOMETRY["pixel_size"] / GEOMETRY["distance"])  # type: ignore[operator]
    expected = sphere(4 * np.pi / 6.0 * np.sin(angle / 2), radius) + 2e-3
    expected[away < 4] *= 1e-3
    return rng.poisson(expected * counts / expected.sum()).astype(np.int32)


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


def curve(radius: float, seed: int = 0) -> dict[str, np.ndarray]:
    """q in Å⁻¹, I and dI of spheres."""
    clean = sphere(Q, radius)
    sigma = 0.02 * clean + 1e-4
    return {"q": Q, "I": clean + sigma * np.random.default_rng(seed).standard_normal(Q.size), "dI": sigma}


def at(place: Any, *names: str) -> str:
    """What a user writes for an entry."""
    server = str(place.uri).partition("/api/")[0].rstrip("/")
    return f"tiled:{server}/{'/'.join(filter(None, [*place.path_parts, *names]))}"
