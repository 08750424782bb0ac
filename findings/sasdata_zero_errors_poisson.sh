#!/usr/bin/env bash
# sasdata 0.11.0: averages of a 2D pattern take a zero uncertainty for "counts, so sqrt(I)".
# Where err_data is 0 (none given, or a normalised pattern), CircularAverage, SectorQ, Ring and the
# boxes use the intensity itself as the variance. For absolute intensities in 1/cm this has no
# meaning: the same pattern in 1/m has relative errors ten times smaller.
# Why it matters: the errors of the curve look sound and follow the intensity, but depend on the
# unit alone. Every chi-squared and every error bar after them does, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.data_util.manipulations import CircularAverage, SectorQ
from sasdata.dataloader.data_info import Data2D

axis = np.linspace(-0.1, 0.1, 21)
qx, qy = (a.ravel() for a in np.meshgrid(axis, axis))

def relative_errors(average, intensity):
    pattern = Data2D(
        data=np.full(qx.size, intensity),
        err_data=np.zeros(qx.size),
        qx_data=qx,
        qy_data=qy,
        q_data=np.hypot(qx, qy),
        mask=np.ones(qx.size, dtype=bool),
    )
    curve = average(pattern)
    return curve.dy / curve.y

for average in (CircularAverage(0.04, 0.06, 0.005), SectorQ(0.04, 0.06, 0, 2 * np.pi - 1e-9, nbins=4)):
    per_cm, per_m = relative_errors(average, 0.01), relative_errors(average, 1.0)
    print(type(average).__name__)
    print("  dI/I of 0.01 1/cm:", per_cm)
    print("  dI/I of 1.00 1/m: ", per_m)
    assert (per_cm > 0).all()
    assert np.allclose(per_cm / per_m, 10)
PYTHON
