#!/usr/bin/env bash
# sasdata 0.11.0, sasmodels 1.1.0: without errors in a NIST 2D file its resolution is turned by 90 degrees.
# The columns hold the resolution along q and across q. If the file has a column err(I), sasdata hands
# them on as they are (dqx_data, dqy_data). If it has none, it turns them into widths along qx and qy.
# sasmodels takes dqx_data for the one along q always. On the vertical axis of the pattern it then smears
# across q with what belongs along q, and the other way round; on the horizontal axis it is right.
# Why it matters: the radial resolution (wavelength spread) is several times the other one. Peaks are
# smeared by the wrong amount, by an angle that depends on the place, so that isotropic samples look
# oriented.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "sasmodels==1.1.0" "numpy==2.4.6" "scipy==1.17.1" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
from pathlib import Path

import numpy as np
from sasdata.dataloader.loader import Loader
from sasmodels.resolution2d import Pinhole2D

along, across = 0.010, 0.002
axis = np.linspace(-0.1, 0.1, 20)
points = [(x, y) for y in axis for x in axis] + [(0.1, 1e-6), (1e-6, 0.1)]

def write(name, columns, middle):
    rows = [" ".join(f"{value:.7g}" for value in (x, y, 1.0, *middle, 0.0, along, across, 1.0)) for x, y in points]
    header = f"FILE: {name}\n\nData columns are {columns}\n\nASCII data created Mon, Jan 5, 2026\n\n"
    Path(name).write_text(header + "\n".join(rows) + "\n")

rest = "Qz - SigmaQ_parall - SigmaQ_perp - fSubS(beam stop shadow)"
write("with.DAT", f"Qx - Qy - I(Qx,Qy) - err(I) - {rest}", (0.1,))
write("without.DAT", f"Qx - Qy - I(Qx,Qy) - {rest}", ())

def smeared(name):
    data = Loader().load(name)[0]
    last = np.arange(data.qx_data.size) >= data.qx_data.size - 2
    resolution = Pinhole2D(data, last, accuracy="High")
    weights = np.asarray(resolution.q_calc_weights)
    qx, qy = (np.reshape(each, (weights.size, 2)) for each in resolution.q_calc)
    return np.sqrt(np.average([(qx[:, 0] - 0.1) ** 2, (qy[:, 1] - 0.1) ** 2], axis=1, weights=weights))

for name, expected in (("with.DAT", 1), ("without.DAT", across / along)):
    radial = smeared(name)
    print(f"{name:11s}: in the file {along} along q and {across} across; sasmodels smears along q by {radial[0]:.4f} at"
          f" (0.1, 0) and by {radial[1]:.4f} at (0, 0.1)")
    assert abs(radial[1] / radial[0] - expected) < 0.02
PYTHON
