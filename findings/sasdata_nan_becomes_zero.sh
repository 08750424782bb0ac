#!/usr/bin/env bash
# sasdata 0.11.0: NaN in a canSAS XML file is read as the measured value 0.
# An intensity of NaN (a dead region, an empty bin) becomes I = 0, and stays in the data with its
# uncertainty. The same point in NXcanSAS is removed. NaN is a valid number in canSAS XML, whose
# schema has it as a floating-point number.
# Why it matters: a bin that nobody measured is fitted as zero intensity with a small error. One
# such point pulls the fit more than all others together.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
from pathlib import Path

import numpy as np
from sasdata.dataloader.data_info import Data1D
from sasdata.dataloader.loader import Loader
from sasdata.dataloader.readers.cansas_reader import Reader as CanSASXML
from sasdata.file_converter.nxcansas_writer import NXcanSASWriter

q = np.linspace(0.01, 0.2, 20)
intensity = 1 / q
intensity[5] = np.nan
data = Data1D(q, intensity, dy=0.05 / q)
data._xunit, data._yunit = "1/A", "1/cm"
CanSASXML().write("gap.xml", data)
text = Path("gap.xml").read_text()
Path("gap.xml").write_text(text.replace(">nan<", ">NaN<"))  # as XML spells it
NXcanSASWriter().write([data], "gap.h5")
xml, hdf5 = Loader().load("gap.xml")[0], Loader().load("gap.h5")[0]
print("canSAS XML:", len(xml.y), "points; around the gap", xml.y[4:7], "+-", xml.dy[4:7], xml.errors)
print("NXcanSAS:  ", len(hdf5.y), "points")
assert len(xml.y) == 20
assert xml.y[5] == 0
assert xml.dy[5] > 0
assert len(hdf5.y) == 19
PYTHON
