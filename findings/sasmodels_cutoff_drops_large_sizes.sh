#!/usr/bin/env bash
# sasmodels 1.1.0: `Experiment`, `DirectModel` and `SasviewModel` leave out the large particles of a broad
# size distribution, whatever range is given. Their default cutoff, 1e-5, is compared with the share of
# particles of each size. A sphere scatters as R^6, so that sizes of fewer particles may scatter most.
# Log-normal distribution of spheres, median 100 Angstrom, sigma 0.4, over 22 widths: I at q = 0.001 is 7 %
# too low with 247 points, and 11 % with 801: more points make it worse, as each has a smaller share.
# With cutoff=0 both agree with the integral. sasmodels' default range of 8 widths is 10 % too low as well.
# Why it matters: a curve of scripts or of SasView is not that of `call_kernel`, whose default cutoff is 0;
# fits of broad distributions find too small a width, or an interaction that is not there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasmodels==1.1.0" "bumps==1.0.5" "numpy==2.4.6" || exit 2
export SAS_OPENCL=none SAS_DLL_PATH="$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasmodels.bumps_model import Experiment, Model
from sasmodels.core import load_model
from sasmodels.data import Data1D
from sasmodels.sasview_model import SasviewModel

MEDIAN, SIGMA = 100.0, 0.4
q = np.geomspace(1e-3, 0.2, 60)
data = Data1D(x=q, y=np.ones(q.size), dy=np.ones(q.size))
kernel = load_model("sphere", dtype="double", platform="dll")

# The integral over ln R, contrast 3e-6/Angstrom^2, volume fraction 0.01, in 1/cm.
radius = MEDIAN * np.exp(SIGMA * np.linspace(-8, 12, 20001))
number = np.exp(-0.5 * (np.log(radius / MEDIAN) / SIGMA) ** 2)
x = q[0] * radius
volume = 4 / 3 * np.pi * radius**3
squares = (volume * 3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
exact = 0.01 * 9e-12 * 1e8 * (number @ squares) / (number @ volume)


def first(points, reach, **options):
    model = Model(
        kernel, radius=MEDIAN, radius_pd=SIGMA, radius_pd_type="lognormal", radius_pd_n=points,
        radius_pd_nsigma=reach, sld=4.0, sld_solvent=1.0, scale=0.01, background=0.0,
    )
    return Experiment(data=data, model=model, **options).theory()[0] / exact


rows = [(247, 22.0), (801, 22.0), (80, 8.0)]
found = {row: (first(*row), first(*row, cutoff=0.0)) for row in rows}
for (points, reach), (default, zero) in found.items():
    print(f"{points} points, {reach:.0f} widths: default cutoff {default:.3f}, cutoff 0 {zero:.3f} of the integral")
print("default cutoff in SasView:", SasviewModel.cutoff)
assert abs(found[247, 22.0][1] - 1) < 1e-3 and abs(found[801, 22.0][1] - 1) < 1e-3
assert found[801, 22.0][0] < found[247, 22.0][0] < 0.95
assert SasviewModel.cutoff == 1e-5
PYTHON
