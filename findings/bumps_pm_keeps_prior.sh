#!/usr/bin/env bash
# bumps 1.0.5: pm and pmp keep a Gaussian prior that was set before, and leave limits given to them.
# p.dev(0.1) followed by p.pm(1) gives bounds of +-1 and still the prior of width 0.1; range()
# in its place removes it. The limits of pm and pmp are rounded outwards to two digits afterwards:
# a volume fraction that must not exceed 0.337 may go to 0.34, a thickness of at least 0.00123
# may go to 0.001.
# Why it matters: the wide range is never explored, because the forgotten prior holds the value.
# Physical limits (close packing, a positive thickness) are crossed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "bumps==1.0.5" "numpy==2.4.6" "scipy==1.17.1" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
from bumps.names import Parameter

radius = Parameter(60.0, name="radius")
radius.dev(0.1)
radius.pm(20)
print("dev(0.1), then pm(20):      ", radius.distribution, radius.bounds)
assert (radius.distribution.std, radius.bounds) == (0.1, (40, 80))
radius.range(40, 80)
print("dev(0.1), then range(40, 80):", radius.distribution, radius.bounds)
assert not hasattr(radius.distribution, "std")
fraction = Parameter(0.25, name="volfraction").pmp(50, limits=(0, 0.337))
thickness = Parameter(0.0123, name="thickness").pm(0.02, limits=(0.00123, 1))
print("limits (0, 0.337):  bounds", fraction.bounds)
print("limits (0.00123, 1):bounds", thickness.bounds)
assert fraction.bounds[1] > 0.337
assert thickness.bounds[0] < 0.00123
PYTHON
