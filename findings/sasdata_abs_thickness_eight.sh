#!/usr/bin/env bash
# sasdata 0.11.0: in NIST's .abs files a sample thickness that ends in 8 loses this digit.
# The reader drops a last character that is no digit (some writers add a C to the thickness), but
# the list of digits that it knows lacks the 8. 0.18 cm is read as 1.0 mm, 1.08 cm as 10.0 mm.
# Other last digits are read rightly.
# Why it matters: the thickness divides the absolute intensity. Here the error is 44 per cent, and
# it befalls one file in ten.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
from pathlib import Path

import numpy as np
from sasdata.dataloader.loader import Loader

HEADER = '''FILE001.SA1_SANS_ABS  created 01-JAN-2024 12:00:00
vesicles in D2O
MON CNT   LAMBDA   DET ANG   DET DIST   TRANS   THICK   AVE   STEP
1.0e+08   6.00     0.00      13.00      0.650   {}      1     1
BCENT(X,Y)   A1(mm)   A2(mm)   A1A2DIST(m)   DL/L   BSTOP(mm)   DET_TYP
65.0 64.0    50.0     12.7     10.0          0.115  50.8        ORNL
The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | sigmaQ | meanQ | ShadowFactor|
'''
ROWS = "".join(f"{q:.4e} {1 / q:.4e} {0.05 / q:.4e} {0.1 * q:.4e} {q:.4e} 1.0\n" for q in np.linspace(0.01, 0.1, 10))
read = {}
for centimetres in ("0.15", "0.18", "0.19", "1.08"):
    Path("sample.abs").write_text(HEADER.format(centimetres) + ROWS)
    sample = Loader().load("sample.abs")[0].sample
    read[centimetres] = round(sample.thickness, 6)
    print(f"file: {centimetres} cm   read: {read[centimetres]} {sample.thickness_unit}")
assert read == {"0.15": 1.5, "0.18": 1.0, "0.19": 1.9, "1.08": 10.0}
PYTHON
