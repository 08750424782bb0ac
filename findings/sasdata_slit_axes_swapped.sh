#!/usr/bin/env bash
# sasdata 0.11.0: slit length and slit width change places when data go through its own NXcanSAS.
# The writer names the resolutions of Q as dQl, dQw, in this order. The reader goes by the position
# and not by the name: the first becomes the width, the second the length, as in the definition's
# own examples ("dQw", "dQl"). The same data through canSAS XML come back unchanged.
# Why it matters: the length is the large one (0.05 against 0.001 here). After one save and load
# the desmeared model is wrong at every q, and nothing in the file or the data hints at it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.dataloader.data_info import Data1D
from sasdata.dataloader.loader import Loader
from sasdata.dataloader.readers.cansas_reader import Reader as CanSASXML
from sasdata.file_converter.nxcansas_writer import NXcanSASWriter

q = np.linspace(0.01, 0.2, 20)
data = Data1D(q, 1 / q, dy=0.05 / q)
data.dxl, data.dxw = np.full(20, 0.05), np.full(20, 0.001)
data._xunit, data._yunit = "1/A", "1/cm"
NXcanSASWriter().write([data], "slit.h5")
CanSASXML().write("slit.xml", data)
hdf5, xml = Loader().load("slit.h5")[0], Loader().load("slit.xml")[0]
print("saved:          length", data.dxl[0], "width", data.dxw[0])
print("canSAS XML read: length", xml.dxl[0], "width", xml.dxw[0])
print("NXcanSAS read:   length", hdf5.dxl[0], "width", hdf5.dxw[0])
assert (xml.dxl[0], xml.dxw[0]) == (0.05, 0.001)
assert (hdf5.dxl[0], hdf5.dxw[0]) == (0.001, 0.05)
PYTHON
