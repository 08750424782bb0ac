"""Paracrystals for a fit on its way: the lattice's part of I(q), averaged over orientations once and for all.

In ``sc_paracrystal``, ``bcc_paracrystal`` and ``fcc_paracrystal`` I(q) is that of a dilute sphere times
(radius/dnn)³ T(q dnn, d_factor), where T, the lattice factor Z(q) of H. Matsuoka et al., Phys. Rev. B 36
(1987) 1754 and 41 (1990) 3854 averaged over orientations, knows nothing of the sphere. sasmodels 1.1
averages with 150² points for every q and radius; here ln T comes from a table of its own values, so that
what these points have not resolved is the same too.
``python -m sasnet_plugin.simulate.quick_models.lattice`` writes it.
"""

from __future__ import annotations

import copy
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .written import write_by_content

#: Models with a table.
LATTICES = ("sc_paracrystal", "bcc_paracrystal", "fcc_paracrystal")
#: x = q dnn and ln d_factor of the table: from 0.01 to 1 even in ln x, where T grows as 1/x, from there on to
#: 64, where T has become a constant, even in x.
STEP, LOW, HIGH = 0.04, 116, 1575
WIDTHS = np.linspace(np.log(0.04), np.log(0.6), 29)
FILE = "lattice.npz"
#: Any distance, and a sphere so small that its form factor is smooth over the table.
_DNN, _RADIUS = 100.0, 1.0


def calculate(form: str, x: NDArray[np.float64], d_factor: float) -> NDArray[np.float64]:
    """Return sasmodels' own T of one of `LATTICES` at x = q dnn > 0, (n,)."""
    from sasmodels.direct_model import call_kernel

    from ..kernel import load_model

    q, sphere = x / _DNN, {"radius": _RADIUS, "sld": 4.0, "sld_solvent": 1.0, "background": 0.0}
    crystal = call_kernel(
        load_model(form).make_kernel([q]), sphere | {"dnn": _DNN, "d_factor": d_factor}, cutoff=0.0
    )
    single = call_kernel(load_model("sphere").make_kernel([q]), sphere, cutoff=0.0)
    return np.asarray(crystal / single) / (_RADIUS / _DNN) ** 3


def use_table(info: Any, folder: Path) -> Any:
    """Return a page of one of `LATTICES` that takes T from the table, C code in `folder`."""
    path = write_by_content(folder, f"sasnet_{info.id}", _source(tables()[info.id]))
    info = copy.copy(info)
    info.source = ["lib/sas_3j1x_x.c", "lib/sphere_form.c", str(path)]
    return info


def tables() -> dict[str, NDArray[np.float32]]:
    """ln T by model, (widths, points)."""
    with resources.as_file(resources.files(__package__).joinpath(FILE)) as path, np.load(path) as file:
        return {name: file[name] for name in file.files}


def _source(table: NDArray[np.float32]) -> str:
    """C for sasmodels: cubic interpolation of ln T by four points each way."""
    widths, points = table.shape
    numbers = ",\n".join(",".join(f"{value:.7g}" for value in row) for row in table)
    low, high = float(WIDTHS[0]), float(WIDTHS[-1])
    return f"""// Written by sasnet.
constant double LATTICE[{widths * points}] = {{
{numbers}
}};

static void lattice_weights(double t, double *w)
{{
    w[0] = -t*(t-1.0)*(t-2.0)/6.0;
    w[1] = (t+1.0)*(t-1.0)*(t-2.0)/2.0;
    w[2] = -(t+1.0)*t*(t-2.0)/2.0;
    w[3] = (t+1.0)*t*(t-1.0)/6.0;
}}

static double lattice(double x, double d_factor)
{{
    double u = {LOW}.0 + (x < 1.0 ? log(fmax(x, 1e-9)) : x - 1.0)/{STEP!r};
    u = fmin(fmax(u, 0.0), {points - 1}.0);
    int i = (int)fmin(fmax(u, 1.0), {points - 3}.0);
    double v = (log(fmax(fabs(d_factor), 1e-9)) - {low!r})*{(widths - 1) / (high - low)!r};
    v = fmin(fmax(v, 0.0), {widths - 1}.0);
    int k = (int)fmin(fmax(v, 1.0), {widths - 3}.0);
    double wx[4], wd[4], sum = 0.0;
    lattice_weights(u - i, wx);
    lattice_weights(v - k, wd);
    for (int a = 0; a < 4; a++) {{
        for (int b = 0; b < 4; b++) {{
            sum += wd[a]*wx[b]*LATTICE[(k + a - 1)*{points} + i + b - 1];
        }}
    }}
    return exp(sum);
}}

static double form_volume(double radius)
{{
    return sphere_volume(radius);
}}

static double Iq(double q, double dnn, double d_factor, double radius, double sld, double solvent_sld)
{{
    return cube(radius/dnn)*sphere_form(q, radius, sld, solvent_sld)*lattice(fabs(q*dnn), d_factor);
}}

static double Iqabc(double qa, double qb, double qc, double dnn, double d_factor, double radius,
    double sld, double solvent_sld)
{{
    return Iq(sqrt(qa*qa + qb*qb + qc*qc), dnn, d_factor, radius, sld, solvent_sld);
}}
"""


def main() -> None:
    """Write the table: about 4 minutes."""
    x = np.concatenate((np.exp(-STEP * np.arange(LOW, 0, -1)), 1 + STEP * np.arange(HIGH + 1)))
    found_tables = {
        form: np.array([np.log(calculate(form, x, d)) for d in np.exp(WIDTHS)], dtype=np.float32)
        for form in LATTICES
    }
    np.savez_compressed(Path(__file__).with_name(FILE), **found_tables)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
