#!/usr/bin/env bash
# sasmodels 1.1.0: in sphere@hardsphere the parameter radius_effective does nothing by default.
# Form factors that know an effective radius (sphere, cylinder, ...) replace the value given,
# because radius_effective_mode is 1 unless the caller sets it to 0. Form factors that know none
# (flexible_cylinder, fractal, lamellar, ...) use the value given. Neither says so.
# Why it matters: a fit with a free radius_effective ends at its starting value with an undefined
# error, and a value taken from elsewhere is ignored. The same call with another form factor works.
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

q = np.array([0.01])

def intensities(model, **pars):
    values = (Iq(model, q, radius_effective=r, volfraction=0.2, background=0, **pars) for r in (50, 100))
    return [float(value[0]) for value in values]

default = intensities("sphere@hardsphere", radius=50)
mode_0 = intensities("sphere@hardsphere", radius=50, radius_effective_mode=0)
chain = intensities("flexible_cylinder@hardsphere")
print("I at radius_effective = 50 and 100 Angstrom")
print("sphere@hardsphere:                         ", default)
print("sphere@hardsphere, radius_effective_mode=0:", mode_0)
print("flexible_cylinder@hardsphere:              ", chain)
assert default[0] == default[1] == mode_0[0]
assert mode_0[1] > 1.1 * mode_0[0]
assert chain[1] > 1.1 * chain[0]
PYTHON
