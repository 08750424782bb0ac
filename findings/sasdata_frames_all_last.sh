#!/usr/bin/env bash
# sasdata 0.11.0: a time series in NXcanSAS comes back as the last frame, as often as frames exist.
# For I(Time, Q) the reader makes one data set for each frame, but all of them share one object,
# which is overwritten by every next frame. Three frames of intensity 1, 2 and 3 give three data
# sets of intensity 3. The number of data sets is right, so that nothing looks wrong.
# Why it matters: a kinetic series shows no kinetics.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" "h5py==3.16.0" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import h5py
import numpy as np
from sasdata.dataloader.loader import Loader

q = np.linspace(0.01, 0.2, 20)
with h5py.File("series.h5", "w") as file:
    entry = file.create_group("sasentry01")
    entry.attrs["canSAS_class"], entry.attrs["version"] = "SASentry", "1.1"
    entry["definition"], entry["title"], entry["run"] = "NXcanSAS", "a series", "1"
    group = entry.create_group("sasdata01")
    group.attrs["canSAS_class"], group.attrs["signal"] = "SASdata", "I"
    group.attrs["I_axes"] = np.array(["Time", "Q"], dtype="S")
    group.attrs["Q_indices"] = [1]
    group["Time"] = [0.0, 1.0, 2.0]
    group["Q"] = q
    group["Q"].attrs["units"] = "1/angstrom"
    group["I"] = np.array([frame / q for frame in (1, 2, 3)])
    group["I"].attrs["units"] = "1/cm"
read = [float(frame.y[0] * q[0]) for frame in Loader().load("series.h5")]
print("written: [1.0, 2.0, 3.0]")
print("read:   ", np.round(read, 9).tolist())
assert np.allclose(read, [3, 3, 3])
PYTHON
