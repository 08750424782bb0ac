#!/usr/bin/env bash
# sasdata 0.11.0: a background measured at other q is subtracted point by point, without a word.
# Data1D - Data1D pairs the points by their number. If every q agrees within 1 per cent it neither
# interpolates nor warns. Where I falls with the fourth power of q, 1 per cent in q is 4 per cent
# in I: of two identical curves, one on a grid shifted by 0.99 per cent, 3.9 per cent remain.
# Why it matters: sample and background often differ so, by another wavelength calibration or
# detector distance. The rest has the shape of scattering and grows with the background.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.dataloader.data_info import Data1D

q = np.linspace(0.01, 0.2, 20)
shifted = 1.0099 * q
sample = Data1D(q, q**-4.0, dy=0.01 * q**-4.0)
background = Data1D(shifted, shifted**-4.0, dy=0.01 * shifted**-4.0)
rest = (sample - background).y / sample.y
print("rest of identical scattering, as part of it:", rest[[0, 10, 19]])
assert np.allclose(rest, 1 - 1.0099**-4, rtol=1e-6)
assert (rest > 0.038).all()
PYTHON
