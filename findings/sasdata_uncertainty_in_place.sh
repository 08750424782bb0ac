#!/usr/bin/env bash
# sasdata 0.11.0: Uncertainty gives another result for a *= b than for a * b, and a /= b changes b.
# For arrays, 10 * 4 is 40, but the in-place product is 100: the first operand was squared on the
# way. The in-place quotient is right, but afterwards the divisor holds its own square.
# Why it matters: Uncertainty carries the errors of reduced data. A transmission that divides one
# frame in place is squared for the next: 4 becomes 16, then 256.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from sasdata.data_util.uncertainty import Uncertainty

def measured(value, variance):
    return Uncertainty(np.array([value]), np.array([variance]))

a, b = measured(10.0, 1.0), measured(4.0, 0.25)
product = (a * b).x[0]
a *= b
print("10 * 4 =", product, "  in place:", a.x[0])
assert (product, a.x[0]) == (40, 100)
frame, transmission = measured(10.0, 1.0), measured(4.0, 0.25)
frame /= transmission
print("10 / 4 =", frame.x[0], "in place; the divisor is now", transmission.x[0])
assert (frame.x[0], transmission.x[0]) == (2.5, 16)
PYTHON
