#!/usr/bin/env bash
# sasdata 0.11.0 and sasmodels 1.1.0: a mask of a 2D pattern means the opposite in the two.
# sasdata marks good pixels with True. sasmodels uses the pixels whose mask is 0.
# sasmodels.data.load_data inverts the mask. A pattern that sasdata's own Loader returns, given to
# DirectModel (or to bumps_model.Experiment, which shares the code), is therefore fitted in the
# masked pixels alone: here 32 pixels behind the beam stop instead of 992 outside.
# Why it matters: nothing is raised. The fit runs, on what the user has excluded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "sasmodels==1.1.0" "numpy==2.4.6" || exit 2
export SAS_OPENCL=none SAS_DLL_PATH="$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.dataloader.data_info import Data2D
from sasdata.dataloader.loader import Loader
from sasdata.file_converter.nxcansas_writer import NXcanSASWriter
from sasmodels.core import load_model
from sasmodels.data import load_data
from sasmodels.direct_model import DirectModel

axis = np.linspace(-0.1, 0.1, 32)
qx, qy = (a.ravel() for a in np.meshgrid(axis, axis))
q = np.hypot(qx, qy)
good = q > 0.02
ones = np.ones(q.size)
pattern = Data2D(data=ones, err_data=ones, qx_data=qx, qy_data=qy, q_data=q, mask=good)
NXcanSASWriter().write([pattern], "pattern.h5")
model = load_model("sphere")
by_loader = DirectModel(Loader().load("pattern.h5")[0], model).index.sum()
by_load_data = DirectModel(load_data("pattern.h5"), model).index.sum()
print("good pixels:", good.sum(), "of", q.size)
print("pixels that sasmodels uses, file read by sasdata's Loader:       ", by_loader)
print("pixels that sasmodels uses, file read by sasmodels.data.load_data:", by_load_data)
assert by_load_data == good.sum()
assert by_loader == (~good).sum()
PYTHON
