"""Train what diffraction images are sorted by, on bodies of two simulators (`predict.images.sorting`).

``python -m sasnet_plugin.train.sorting`` writes ``sorting.npz`` beside the installed network and names it in
the registry; minutes on one core.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.diffraction.features import of_rings
from ..data.diffraction.polar import of_images, rings
from ..domains.diffraction import NAME
from ..predict.images.sorting import FILE, Layers, applied, read
from ..simulate.diffraction import voxels
from ..simulate.diffraction.measurement import shot
from ..simulate.diffraction.samples import draw_sample
from ..simulate.diffraction.simulator import SIMULATOR
from ..types import Image

Array = NDArray[np.float32]
#: Kinds of the package's first simulator, each with what is on top of it.
KINDS = (
    *(("round", more) for more in ("", "newton", "double", "layered", "asymmetric")),
    *(("elliptical", more) for more in ("", "layered", "newton")),
    *((name, "") for name in ("streak", "bent", "streak_bent", "irregular")),
)
#: Images of a kind from either simulator; of voxels an image takes ten times as long.
PASSED, VOXELS = 200, 100
#: Decades of the counts.
_COUNTS = (4.0, 6.0)
#: Neurons of the two hidden layers, of each of so many networks whose logits are averaged, and the decay.
HIDDEN, NETWORKS, DECAY, ROUNDS = (64, 16), 4, 1.0, 60


def first(kind: int, rng: np.random.Generator) -> Image:
    """A measured shot of the multi-slice simulator."""
    name, more = KINDS[kind]
    beam = {"theta": float(np.radians(rng.uniform(10, 28)))}
    sample = draw_sample(rng, {name: 1}, {more: 1} if more else {}, 0 if more else 1, beam)
    return shot(SIMULATOR.clean(sample), rng, float(10 ** rng.uniform(*_COUNTS)))


def second(kind: int, rng: np.random.Generator) -> Image:
    """A measured shot of voxels."""
    return shot(voxels.pattern(list(voxels.BODIES)[kind], rng), rng, float(10 ** rng.uniform(*_COUNTS)))


def drawn(
    make: Callable[[int, np.random.Generator], Image], kinds: int, each: int, rng: np.random.Generator
) -> tuple[Array, NDArray[np.intp]]:
    """What the network says of so many shots of every kind, and their kinds."""
    from ..predict.predictor import open_predictor

    label = np.repeat(np.arange(kinds), each)
    found = rings(of_images([make(int(kind), rng) for kind in label]))
    return read(open_predictor(NAME).runtime.run(of_rings(found))), label


def fit(values: Array, label: NDArray[np.intp], networks: int = NETWORKS) -> Layers:
    """Networks that tell the labels apart, as one whose logits are their mean."""
    from scipy.linalg import block_diag

    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    each = [_network((values - middle) / spread, label, seed) for seed in range(networks)]
    weights = [[one.coefs_[k] for one in each] for k in range(3)]
    offsets = [[one.intercepts_[k] for one in each] for k in range(3)]
    start = np.hstack(weights[0]) / spread[:, None]
    layers = (
        (start, np.concatenate(offsets[0]) - middle @ start),
        (block_diag(*weights[1]), np.concatenate(offsets[1])),
        (np.vstack(weights[2]) / networks, np.mean(offsets[2], axis=0)),
    )
    return tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers)


def _network(values: Array, label: NDArray[np.intp], seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        # So few rounds are part of the regularisation.
        warnings.simplefilter("ignore")
        return MLPClassifier(HIDDEN, alpha=DECAY, max_iter=ROUNDS, random_state=seed).fit(values, label)


def trained(seed: int, passed: int = PASSED, of_voxels: int = VOXELS) -> tuple[Layers, float]:
    """Layers, and the share of the shots they were fitted to whose kind they say."""
    rng = np.random.default_rng(seed)
    parts = [drawn(first, len(KINDS), passed, rng), drawn(second, len(voxels.BODIES), of_voxels, rng)]
    values = np.concatenate([part[0] for part in parts])
    label = np.concatenate([parts[0][1], parts[1][1] + len(KINDS)])
    layers = fit(values, label)
    return layers, float(np.mean(applied(layers, values).argmax(axis=1) == label))


def stored(layers: Sequence[tuple[Array, Array]], network: str) -> dict[str, Any]:
    """Arrays of the file: the layers, and the sha256 of the network that they read."""
    found: dict[str, Any] = {"network": np.array(network)}
    for number, (weights, offsets) in enumerate(layers):
        found |= {f"weights{number}": weights, f"offsets{number}": offsets}
    return found


def install(home: Path, layers: Layers) -> None:
    """Put the file beside a packaged network and name it in its manifest and in the registry."""
    from ..zoo import register

    manifest = home / "manifest.json"
    said = json.loads(manifest.read_text(encoding="utf-8"))
    np.savez_compressed(home / FILE, **stored(layers, said["sha256"]["model.onnx"]))
    said["sha256"][FILE] = hashlib.sha256((home / FILE).read_bytes()).hexdigest()
    manifest.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    register(home)


def main() -> None:
    """Train, write, register."""
    from ..zoo import registered

    home = registered()[NAME]
    layers, right = trained(1)
    install(home, layers)
    print(f"{home / FILE}: of the shots that were learned from {100 * right:.0f} % are told by their kind.")


if __name__ == "__main__":
    main()
