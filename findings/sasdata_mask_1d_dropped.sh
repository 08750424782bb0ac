#!/usr/bin/env bash
# sasdata 0.11.0: the mask of a 1D curve in NXcanSAS is ignored; masked points come back as good.
# A group SASdata may name a mask, True for an excluded point as the library itself writes it in 2D.
# For 2D patterns the reader honours it. For 1D data it returns all points and keeps no mask, so
# that nobody can tell.
# Why it matters: what a beamline masks first is the shadow of the beam stop, at the lowest q.
# With these points Rg and I(0) come out wrong, or an aggregate is hidden.
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
mask = q < 0.035
intensity = np.where(mask, 1e-3, 1 / q)
with h5py.File("masked.h5", "w") as file:
    entry = file.create_group("sasentry01")
    entry.attrs["canSAS_class"], entry.attrs["version"] = "SASentry", "1.1"
    entry["definition"], entry["title"], entry["run"] = "NXcanSAS", "masked", "1"
    group = entry.create_group("sasdata01")
    group.attrs["canSAS_class"], group.attrs["signal"], group.attrs["mask"] = "SASdata", "I", "mask"
    group.attrs["I_axes"], group.attrs["Q_indices"], group.attrs["Mask_indices"] = "Q", [0], [0]
    group["Q"], group["I"], group["mask"] = q, intensity, mask
    group["Q"].attrs["units"], group["I"].attrs["units"] = "1/angstrom", "1/cm"
data = Loader().load("masked.h5")[0]
print("points in the file:", q.size, "of them masked:", mask.sum())
print("points read:", len(data.x), "first intensities:", data.y[:4], "mask:", getattr(data, "mask", "none"))
assert len(data.x) == q.size
assert (data.y[mask] == 1e-3).all()
assert getattr(data, "mask", None) is None
PYTHON
