#!/usr/bin/env bash
# xraydb 4.5.8 and periodictable 2.1.0: f0(q) of the two libraries is a function of different q.
# Both take one argument called q in inverse Angstrom. periodictable means 4 pi sin(theta) / lambda,
# as all of small-angle scattering does. xraydb means sin(theta) / lambda. At q = 1 carbon has
# 5.40 electrons by one and 1.11 by the other.
# Why it matters: a form factor from xraydb at a q of small-angle or wide-angle data is that of an
# 4 pi times larger q. It falls off far too early, in silence, in Debye sums and structure factors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "xraydb==4.5.8" "periodictable==2.1.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
import periodictable
import xraydb

for q in (0.0, 0.5, 1.0, 2.0):
    one, other = float(periodictable.C.xray.f0(q)), float(xraydb.f0("C", q)[0])
    same = float(xraydb.f0("C", q / (4 * np.pi))[0])
    print(f"q = {q}: periodictable {one:.4f}, xraydb {other:.4f}, xraydb at q / 4 pi {same:.4f}")
    assert abs(one - same) < 0.01
assert float(xraydb.f0("C", 1.0)[0]) < 0.25 * float(periodictable.C.xray.f0(1.0))
PYTHON
