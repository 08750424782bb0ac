#!/usr/bin/env bash
# sasdata 0.11.0: CircularAverage uses masked pixels, SectorQ and Ring leave them out.
# The mask is looked at only with the second argument ismask=True, which is False by default. The
# other averages of the same module look at the mask always and have no such argument.
# Why it matters: one hot pixel that the mask excludes makes I(q) half a million times too high
# here. The shadow of a beam stop lowers I(q) instead, and looks like repulsion between particles.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.data_util.manipulations import CircularAverage, Ring, SectorQ
from sasdata.dataloader.data_info import Data2D

axis = np.linspace(-0.1, 0.1, 21)
qx, qy = (a.ravel() for a in np.meshgrid(axis, axis))
intensity = np.ones(qx.size)
hot = np.isclose(qx, 0.05) & np.isclose(qy, 0)
intensity[hot] = 1e6
pattern = Data2D(
    data=intensity, err_data=np.full(qx.size, 0.01), qx_data=qx, qy_data=qy, q_data=np.hypot(qx, qy), mask=~hot
)
circular = CircularAverage(0.04, 0.06, 0.005)
plain, masked = circular(pattern).y, circular(pattern, ismask=True).y
sector = SectorQ(0.04, 0.06, 0, 2 * np.pi - 1e-9, nbins=4)(pattern).y
ring = Ring(0.04, 0.06)(pattern).y
print("true intensity 1, one masked pixel of 1e6")
print("CircularAverage:             largest", plain.max())
print("CircularAverage, ismask=True:largest", masked.max())
print("SectorQ, Ring:               largest", sector.max(), ring.max())
assert plain.max() > 1e5
assert masked.max() == sector.max() == ring.max() == 1
PYTHON
