#!/usr/bin/env bash
# pyFAI 2026.9.0: a bin of q that holds no pixel comes back as intensity 0 with uncertainty 0.
# Without pixel splitting and with more bins than pixels along the radius, 28 of 300 bins of a
# uniform image of intensity 100 are 0 +- 0. They stand between good points, in the array and in
# the file that is written; the number of pixels in them (count) is not written.
# Why it matters: 0 is a possible intensity. Weighted fits divide by the uncertainty 0, and what
# replaces such an uncertainty by a small one is pulled to zero.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyFAI==2026.9.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import logging

import numpy as np

logging.disable(logging.CRITICAL)
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

geometry = AzimuthalIntegrator(dist=1.0, poni1=0.05, poni2=0.05, pixel1=1e-3, pixel2=1e-3, wavelength=1e-10)
image = np.full((101, 101), 100.0)
curve = geometry.integrate1d(
    image,
    300,
    unit="q_A^-1",
    method=("no", "csr", "cython"),
    correctSolidAngle=False,
    error_model="poisson",
    filename="curve.dat",
)
empty = curve.count == 0
written = np.loadtxt("curve.dat")
print("bins:", empty.size, "without a pixel:", empty.sum())
print("their intensities:", set(curve.intensity[empty].tolist()), "uncertainties:", set(curve.sigma[empty].tolist()))
print("other intensities:", curve.intensity[~empty].min(), "to", curve.intensity[~empty].max())
print("lines of the file with I = 0:", (written[:, 1] == 0).sum())
assert empty.sum() > 20
assert (curve.intensity[empty] == 0).all()
assert (curve.sigma[empty] == 0).all()
assert (curve.intensity[~empty] > 99.9).all()
assert (written[:, 1] == 0).sum() == empty.sum()
PYTHON
