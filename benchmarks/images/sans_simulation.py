"""Training images for a second of one core, against sasmodels calculating and smearing each anew.

python -m benchmarks images/sans_simulation [--images 40] > benchmarks/images/sans_simulation.md
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from sasnet_plugin.data.sans.features import inputs
from sasnet_plugin.data.sans.geometry import on_detector
from sasnet_plugin.data.sans.resolution import Setting
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.sans.cells import beams
from sasnet_plugin.simulate.sans.samples import draw_sample, row_of
from sasnet_plugin.simulate.sans.simulator import SIMULATOR

SETTING = Setting(6.0, 0.1, 8000.0, 8000.0, 15.0, 5.0, (5.0, 5.0))
#: Uses of a stored sample: 20,000 of them serve a training of 400,000 images.
USES = 20


def seconds(work: Callable[[], object], number: int) -> float:
    """CPU seconds of a piece of work, after one that warms up."""
    work()
    began = time.process_time()
    for _ in range(number):
        work()
    return (time.process_time() - began) / number


def anew(name: str, oriented: bool) -> float:
    """One image of 128 × 128 pixels by sasmodels, smeared by its own Pinhole2D or Pinhole1D, and counted."""
    from sasmodels.data import Data1D, Data2D
    from sasmodels.direct_model import DirectModel

    rng = np.random.default_rng(0)
    geometry = on_detector((128, 128), (63.5, 63.5), SETTING)
    spread = geometry.spread()
    assert spread is not None
    sample = draw_sample(rng, name)
    parameters = {**dict(sample.parameters or {}), "background": 0.0}
    if oriented:
        x, y, along, across = (a.ravel() for a in (geometry.qx, geometry.qy, *spread))
        data = Data2D(x=x, y=y, z=np.ones_like(x), dx=along, dy=across, dz=np.ones_like(x))
        parameters |= {"theta": 90.0, "phi": 20.0, "theta_pd": 20.0, "phi_pd": 20.0}
        parameters |= {"theta_pd_n": 21, "phi_pd_n": 21}
    else:
        q = np.geomspace(geometry.q.min(), geometry.q.max(), 120)
        data = Data1D(
            x=q, y=np.ones_like(q), dx=np.interp(q, np.sort(geometry.q.ravel()), np.sort(spread[0].ravel()))
        )
        data.dy = np.ones_like(q)

    def image() -> object:
        model = DirectModel(data, load_model(name))
        found = np.asarray(model(**parameters))
        if not oriented:
            found = np.interp(geometry.q, data.x, found)
        return rng.poisson(1e5 * found / found.sum())

    return seconds(image, 1 if oriented else 8)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=40)
    number = parser.parse_args().images
    rng = np.random.default_rng(1)
    began = time.process_time()
    rows = [row_of(draw_sample(rng)) for _ in range(number)]
    clean = (time.process_time() - began) / number
    beams()
    ours = seconds(lambda: SIMULATOR.measure(rows, rng, settings=1), 2) / number
    images, _ = SIMULATOR.measure(rows, rng, settings=1)
    read = seconds(lambda: inputs(images), 2) / number
    total = clean / USES + ours
    print("CPU milliseconds of one core an image.\n\n| what | ms | times ours |\n|---|---|---|")
    print(f"| ours: a sample, computed once for {USES} uses | {1e3 * clean / USES:.2f} | |")
    print(f"| ours: measured anew | {1e3 * ours:.2f} | |")
    print(f"| ours together | {1e3 * total:.2f} | 1 |")
    print(f"| besides: features of it | {1e3 * read:.2f} | |")
    cases = [
        ("sphere", False),
        ("core_shell_sphere", False),
        ("cylinder", False),
        ("ellipsoid", False),
        ("cylinder", True),
    ]
    costs = {}
    for name, oriented in cases:
        cost = costs[name, oriented] = anew(name, oriented)
        kind = "oriented, 21 × 21 angles, Pinhole2D" if oriented else "all directions, 120 smeared q"
        print(f"| sasmodels anew: {name}, {kind} | {1e3 * cost:.1f} | {cost / total:.0f} |", flush=True)
