"""Clean scattering of samples: I(q) once, and how it depends on the direction of particles with an axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.grid import WIDE_Q
from ....simulate.kernel import load_model
from .orientation import DEGREES

#: Where samples are kept: 80 points a decade, 2.9 % from one to the next, from below the smallest q of any
#: setting to above the largest.
Q = np.geomspace(2e-4, 2.0, 321)
LN_Q = np.log(Q)
#: Which of the finer grid of `simulate.grid` they are nearest to.
_ON_WIDE = np.searchsorted(WIDE_Q, Q * (1 - 1e-9)).clip(max=WIDE_Q.size - 1)
#: Contrast of bodies, 10⁻⁶ Å⁻².
SLD = {"sld": 4.0, "sld_solvent": 0.0}
#: Points and width of size distributions: the fringes of a spread of 2 % are resolved to q·radius of 40.
SPREAD = {"radius_pd_type": "schulz", "radius_pd_n": 21, "radius_pd_nsigma": 3.5}
#: Nodes over the cosine between q and axis, 0..1: enough for the highest degree of a body of q·length 50.
_MU, _SHARE = legendre.leggauss(128)
_MU, _SHARE = _MU[64:], _SHARE[64:]
_TO_DEGREES = ((2 * DEGREES + 1)[:, None] * _SHARE[None, :]) * legendre.legvander(_MU, int(DEGREES[-1]))[
    :, ::2
].T


def plain(log_intensity: NDArray[np.floating]) -> Floats:
    """ln I on `Q` of a clean curve on the wide grid of `simulate.grid`; NaN beyond its end."""
    # A point stands for a cell of the coarser grid: the mean over it, so that fringes finer than the grid are
    # averaged and not aliased.
    curve = np.asarray(log_intensity, dtype=np.float64)
    running = np.convolve(np.exp(curve), np.full(9, 1 / 9), "same")
    smooth = np.where(np.isfinite(running) & (running > 0), np.log(np.maximum(running, 1e-300)), curve)
    return np.asarray(smooth[_ON_WIDE])


def compute_legendre(name: str, parameters: Mapping[str, Any], q: Floats) -> Floats:
    """Compute Legendre coefficients F_l(q), (n, len(DEGREES)), of a sasmodels form with ``theta`` and
    ``phi``, at scale 1 without background; q in Å⁻¹. The first is the orientational average.
    """
    from sasmodels.direct_model import call_kernel

    # The axis lies along x in the detector's plane: theta = 90°, phi = 0.
    qx, qy = np.outer(q, _MU).ravel(), np.outer(q, np.sqrt(1 - _MU**2)).ravel()
    model = load_model(name)
    kernel = model.make_kernel([qx, qy])
    names = {p.name for p in model.info.parameters.orientation_parameters}
    angles = {"theta": 90.0, "phi": 0.0}
    turns = np.linspace(0, 90, 12, endpoint=False) + 3.75 if "psi" in names else (None,)
    total: Any = 0.0
    for psi in turns:
        turned = angles if psi is None else {**angles, "psi": float(psi)}
        total = total + call_kernel(kernel, {"scale": 1.0, "background": 0.0, **parameters, **turned})
    kernel.release()
    values = np.asarray(total).reshape(q.size, _MU.size) / len(turns)
    return np.asarray(values @ _TO_DEGREES.T)


def pars_of(body: str, radius: float, aspect: float, radius_pd: float) -> dict[str, Any]:
    """sasmodels' parameters of a body with an axis, "cylinder" or "ellipsoid"; lengths in Å."""
    # A spread of both radii of an ellipsoid would take as many points again; that of one blurs the fringes.
    spread = {"radius_pd": radius_pd, **SPREAD}
    if body == "cylinder":
        return {"radius": radius, "length": 2 * radius * aspect, **SLD, **spread}
    pars: dict[str, Any] = {"radius_equatorial": radius, "radius_polar": radius * aspect, **SLD}
    return pars | {key.replace("radius", "radius_equatorial"): value for key, value in spread.items()}
