#!/usr/bin/env bash
# sasdata 0.11.0: the factor by which NXcanSAS says to multiply I is ignored.
# The definition lets I name, in its attribute scaling_factor, a field that holds a factor for I,
# so that raw numbers and calibration are kept apart. The reader returns I without the factor. It
# reports no error and keeps neither the factor nor its name.
# Why it matters: absolute intensities, and with them volume fractions and molar masses, are wrong
# by this factor, which may have any size.
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
intensity = 1 / q

def write(name, extra):
    with h5py.File(name, "w") as file:
        entry = file.create_group("sasentry01")
        entry.attrs["canSAS_class"], entry.attrs["version"] = "SASentry", "1.1"
        entry["definition"], entry["title"], entry["run"] = "NXcanSAS", "a curve", "1"
        group = entry.create_group("sasdata01")
        group.attrs["canSAS_class"], group.attrs["signal"] = "SASdata", "I"
        group.attrs["I_axes"], group.attrs["Q_indices"] = "Q", [0]
        group["Q"], group["I"], group["Idev"] = q, intensity, 0.02 * intensity
        group["Q"].attrs["units"], group["I"].attrs["units"] = "1/angstrom", "1/cm"
        group["I"].attrs["uncertainties"] = "Idev"
        extra(group)
    return Loader().load(name)[0]

def scaled(group):
    group["I"].attrs["scaling_factor"] = "I_scaling"
    group["I_scaling"] = 0.01

data = write("scaled.h5", scaled)
print("I in the file:", intensity[0], " times scaling_factor 0.01:", 0.01 * intensity[0])
print("read:         ", data.y[0], " errors:", data.errors, " meta data:", data.meta_data)
assert np.allclose(data.y, intensity)
assert not data.errors
assert "scal" not in str(data.meta_data)
PYTHON
