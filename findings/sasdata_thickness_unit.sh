#!/usr/bin/env bash
# sasdata 0.11.0: the unit of the sample's thickness is lost in NXcanSAS; 1 mm becomes 0.1 mm.
# The reader takes the number and ignores the attribute "units": 0.1 cm is read as 0.1 with the
# default unit, mm. The temperature loses its unit in the same way. The writer writes no unit
# either, so that canSAS XML (0.1 cm, read rightly) saved as NXcanSAS changes by a factor of 10.
# Why it matters: absolute intensities scale with 1 / thickness. A second normalisation, or a
# comparison of samples, is wrong by a factor of 10.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" "h5py==3.16.0" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import h5py
import numpy as np
from sasdata.dataloader.data_info import Data1D
from sasdata.dataloader.loader import Loader
from sasdata.file_converter.nxcansas_writer import NXcanSASWriter

q = np.linspace(0.01, 0.2, 20)
data = Data1D(q, 1 / q, dy=0.05 / q)
data.sample.thickness, data.sample.thickness_unit = 0.1, "cm"
NXcanSASWriter().write([data], "saved.h5")
saved = Loader().load("saved.h5")[0].sample
with h5py.File("saved.h5", "r+") as file:  # as another program writes it, with its unit
    sample = file["sasentry01/sassample"]
    sample["thickness"].attrs["units"] = "cm"
    sample["temperature"] = 25.0
    sample["temperature"].attrs["units"] = "C"
read = Loader().load("saved.h5")[0].sample
print("in memory:             0.1 cm")
print("saved and read again: ", round(float(saved.thickness), 6), saved.thickness_unit)
print("file says cm and C:   ", round(float(read.thickness), 6), read.thickness_unit)
print("                      ", float(read.temperature), read.temperature_unit)
for each in (saved, read):
    assert abs(each.thickness - 0.1) < 1e-6
    assert each.thickness_unit == "mm"
assert read.temperature_unit is None
PYTHON
