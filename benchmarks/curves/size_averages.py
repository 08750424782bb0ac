"""How much faster than in sasmodels is a polydisperse particle averaged over orientations, and how exact?

``python -m benchmarks curves/size_averages`` calculates particles of `quick_models.size_averages` with one
size distribution of 35 points at 200 values of q. sasmodels' compiled model and ours take turns on one core.
Time is CPU time of a whole call, the least of several. The error is the largest of |I/I_sasmodels − 1|.
``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..common import markdown, parser_of, show

Q = np.geomspace(0.003, 0.4, 200)
SIZES_OF_A_DISTRIBUTION, WIDTH = 35, 0.1
#: Model, size that is distributed, sizes in Å.
CASES: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("parallelepiped", "length_a", {"length_a": 40, "length_b": 80, "length_c": 200}),
    ("parallelepiped", "length_c", {"length_a": 40, "length_b": 80, "length_c": 200}),
    ("core_shell_cylinder", "radius", {"radius": 40, "thickness": 12, "length": 400}),
    ("core_shell_cylinder", "thickness", {"radius": 40, "thickness": 12, "length": 400}),
    ("cylinder", "radius", {"radius": 40, "length": 400}),
    ("cylinder", "length", {"radius": 40, "length": 400}),
    ("cylinder", "radius", {"radius": 20, "length": 3000}),
    ("cylinder", "radius", {"radius": 1000, "length": 30}),
    ("ellipsoid", "radius_equatorial", {"radius_polar": 40, "radius_equatorial": 120}),
    ("ellipsoid", "radius_polar", {"radius_polar": 300, "radius_equatorial": 50}),
    ("ellipsoid", "radius_polar", {"radius_polar": 52, "radius_equatorial": 50}),
    ("core_shell_ellipsoid", "radius_equat_core",
     {"radius_equat_core": 40, "x_core": 1.5, "thick_shell": 12}),
    ("capped_cylinder", "radius", {"radius": 20, "radius_cap": 40, "length": 300}),
    ("barbell", "radius_bell", {"radius": 20, "radius_bell": 40, "length": 300}),
    ("hollow_cylinder", "radius", {"radius": 40, "thickness": 12, "length": 400}),
    ("elliptical_cylinder", "radius_minor", {"radius_minor": 30, "axis_ratio": 1.8, "length": 200}),
    ("core_shell_bicelle", "radius", {"radius": 80, "thick_rim": 12, "thick_face": 9, "length": 60}),
    ("core_shell_bicelle_elliptical", "radius",
     {"radius": 30, "x_core": 1.8, "thick_rim": 9, "thick_face": 14, "length": 60}),
    ("core_shell_parallelepiped", "length_a", {"length_a": 40, "length_b": 80, "length_c": 200}),
    ("triaxial_ellipsoid", "radius_polar",
     {"radius_equat_minor": 30, "radius_equat_major": 60, "radius_polar": 100}),
)  # fmt: skip
HEAD = [
    "model", "distributed", "sizes, Å", "sasmodels, ms", "here, ms", "times faster", "error, largest",
    "median",
]  # fmt: skip


def main() -> None:
    options = parser_of(__doc__, repeats=5).parse_args()
    rows = []
    for case in CASES:
        rows.append(row(*case, repeats=options.repeats))
        print(*rows[-1], flush=True)
    show(markdown(HEAD, rows, texts=3), options.write, __file__, f"{_WORDS}\n")


_WORDS = f"""# Polydisperse particles with orientation averages

{SIZES_OF_A_DISTRIBUTION} sizes (Gaussian, {WIDTH:.0%}), {Q.size} values of q from {Q[0]:g} to {Q[-1]:g} Å⁻¹.
Both on one core by turns in one process, CPU time of a whole call. The error is |I/I_sasmodels − 1|.
"""


def row(name: str, size: str, sizes: dict[str, float], *, repeats: int) -> list[str]:
    """The table's row of one particle."""
    from sasmodels.direct_model import call_kernel

    from sasnet_plugin.simulate.kernel import load_model
    from sasnet_plugin.simulate.quick_models.quick import quick_model

    own, here = (model(name).make_kernel([Q]) for model in (load_model, quick_model))
    values: dict[str, Any] = {**sizes, f"{size}_pd": WIDTH, f"{size}_pd_n": SIZES_OF_A_DISTRIBUTION}
    values["background"] = 0.0
    error = np.abs(call_kernel(here, values) / call_kernel(own, values) - 1)
    own_times, here_times = [], []
    for _ in range(repeats):
        own_times.append(_seconds(lambda: call_kernel(own, values), 1))
        for _ in range(8):  # each another size, as tables of the last ones are kept
            values[size] *= 1 + 1e-6
            here_times.append(_seconds(lambda: call_kernel(here, values), 1))
    slow, fast = 1e3 * min(own_times), 1e3 * min(here_times)
    shown = ", ".join(f"{key} {value:g}" for key, value in sizes.items())
    times = [f"{slow:.1f}", f"{fast:.2f}", f"{slow / fast:.0f}"]
    return [f"`{name}`", size, shown, *times, f"{error.max():.1e}", f"{np.median(error):.0e}"]


def _seconds(call: Callable[[], Any], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times
