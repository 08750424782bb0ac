#!/usr/bin/env bash
# sasdata 0.11.0: the angle phi starts at opposite directions within one module.
# Ring and SectorPhi measure phi from the negative qx axis, Sectorcut and numpy's arctan2 from the
# positive one. A bright spot at +45 degrees (qx > 0, qy > 0) appears at 225 degrees. The
# docstrings of Ring and SectorPhi do say so.
# Why it matters: an angle that is read from one of them points to the opposite side in the other.
# A flare, a parasitic streak or a specular spot is then masked where it is not, and a direction
# that is reported from I(phi) is half a turn off.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.data_util.manipulations import Ring, SectorPhi
from sasdata.dataloader.data_info import Data2D

axis = np.linspace(-0.1, 0.1, 41)
qx, qy = (a.ravel() for a in np.meshgrid(axis, axis))
spot = (qx - 0.05) ** 2 + (qy - 0.05) ** 2 < 0.01**2
pattern = Data2D(
    data=np.where(spot, 100.0, 1.0),
    err_data=np.ones(qx.size),
    qx_data=qx,
    qy_data=qy,
    q_data=np.hypot(qx, qy),
    mask=np.ones(qx.size, dtype=bool),
)
true = np.degrees(np.arctan2(qy[spot].mean(), qx[spot].mean()))
ring = Ring(0.04, 0.1, nbins=8)(pattern)
sector = SectorPhi(0.04, 0.1, 0, 2 * np.pi - 1e-9, nbins=36)(pattern)
by_ring = np.degrees(ring.x[ring.y.argmax()])
by_sector = np.degrees(sector.x[sector.y.argmax()])
print(f"spot at {true:.0f} degrees from +qx; Ring {by_ring:.0f}; SectorPhi {by_sector:.0f}")
assert round(true) == 45
assert round(by_ring) == 225
assert abs(by_sector - 225) < 11
PYTHON
