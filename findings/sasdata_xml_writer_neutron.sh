#!/usr/bin/env bash
# sasdata 0.11.0: saving data as canSAS XML makes them neutron data, in the file and in memory.
# If no radiation is given, the writer puts "neutron" into the file and into the data set that it
# was only asked to save. It also takes the values of the process terms out of the data in memory:
# the first file has them, a second save of the same data ends with KeyError: 'value'.
# Why it matters: X-ray data whose file names no source come back as neutron data. What chooses
# scattering lengths or resolution by the radiation then chooses wrongly.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.dataloader.data_info import Data1D, Process
from sasdata.dataloader.loader import Loader
from sasdata.dataloader.readers.cansas_reader import Reader as CanSASXML

q = np.linspace(0.01, 0.2, 20)
data = Data1D(q, 1 / q, dy=0.05 / q)
data._xunit, data._yunit = "1/A", "1/cm"
process = Process()
process.name = "reduction"
process.term = [{"name": "transmission", "value": "0.65", "unit": ""}]
data.process = [process]
assert data.source.radiation is None
CanSASXML().write("first.xml", data)
read = Loader().load("first.xml")[0]
print("radiation: None before; in the file", read.source.radiation, "; in memory", data.source.radiation)
print("terms: in the file", read.process[0].term, "; in memory", data.process[0].term)
try:
    CanSASXML().write("second.xml", data)
    second = "written"
except KeyError as error:
    second = f"KeyError: {error}"
print("second save:", second)
assert read.source.radiation == data.source.radiation == "neutron"
assert read.process[0].term[0]["value"] == "0.65"
assert "value" not in data.process[0].term[0]
assert second == "KeyError: 'value'"
PYTHON
