#!/usr/bin/env bash
# sasdata 0.11.0 and sasmodels 1.1.0: scaling slit-smeared data by a number switches smearing off.
# Every operation of sasdata's Data1D (times a transmission, minus a background) returns data whose
# pinhole width dx is an array of zeros, where the original had None. sasmodels looks at dx first.
# If dx is there and zero, it takes perfect resolution and never looks at the slit, although slit
# length and width are still in the data. The theory is wrong by a factor of 26 here.
# Why it matters: USANS and Kratky data are scaled and subtracted before they are fitted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "sasmodels==1.1.0" "numpy==2.4.6" || exit 2
export SAS_OPENCL=none SAS_DLL_PATH="$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.dataloader.data_info import Data1D
from sasmodels.core import load_model
from sasmodels.direct_model import DirectModel

q = np.logspace(-4, -2, 60)
data = Data1D(q, 1 / q, dy=0.1 / q)
data.dxl, data.dxw = np.full(q.size, 0.1), np.zeros(q.size)
scaled = data * 1.0
for each in (data, scaled):
    each.qmin, each.qmax = q[0], q[-1]
model = load_model("sphere")
calculators = [DirectModel(each, model) for each in (data, scaled)]
names = [type(c.resolution).__name__ for c in calculators]
theories = [c(radius=500, background=0) for c in calculators]
print("dx before and after * 1.0:", data.dx, scaled.dx[:3])
print("slit length after * 1.0:  ", scaled.dxl[:3])
print("resolution:               ", names)
print("theory after / before:    ", (theories[1] / theories[0])[[0, 20, 40]])
assert data.dx is None
assert (scaled.dx == 0).all()
assert (scaled.dxl == 0.1).all()
assert names == ["Slit1D", "Perfect1D"]
assert (theories[1] / theories[0])[0] > 10
PYTHON
