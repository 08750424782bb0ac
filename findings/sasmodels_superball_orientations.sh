#!/usr/bin/env bash
# sasmodels 1.1.0: a large superball scatters up to 850 times too much at high q, in silence.
# Most shapes choose the number of orientations from q times the size. Superball has a fixed grid.
# With exponent 1 a superball is a sphere, so the right answer is known.
# From q times the radius of 40 on, the average over many fringes is 6 times too high, from 80 on
# 850 times. For a cube of 100 nm that is q = 0.08 and 0.16 per Angstrom.
# Why it matters: nanocubes of this size are usual. The error looks like a background or a shallow
# Porod slope, and a fit takes it for roundness, for a size distribution or for background.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasmodels==1.1.0" "numpy==2.4.6" || exit 2
export SAS_OPENCL=none SAS_DLL_PATH="$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasmodels.direct_model import Iq

ratios = []
for low, high in ((20, 40), (40, 80), (80, 160)):
    q = np.linspace(low, high, 400) / 500
    contrast = dict(sld=4, sld_solvent=1, background=0)
    superball = Iq("superball", q, length_a=1000, exponent_p=1, **contrast).mean()
    sphere = Iq("sphere", q, radius=500, **contrast).mean()
    ratios.append(superball / sphere)
    print(f"q = {q[0]:.3f} to {q[-1]:.3f} 1/A: mean I(superball) / mean I(sphere) = {ratios[-1]:.4g}")
assert abs(ratios[0] - 1) < 0.01
assert ratios[1] > 3
assert ratios[2] > 100
PYTHON
