#!/usr/bin/env bash
# pyirena 1.2.0: at a given X-ray energy deuterium has no electrons.
# The X-ray scattering length density of D2O is right without an energy. At an energy the tables of
# xraydb are asked for "D", which they do not know, and its electrons are left out. D2O then has 8
# electrons instead of 10. A scan over energies does so without a message.
# Why it matters: H2O and D2O have equal densities for X-rays. Here they differ by 20 percent, so that
# a protein in D2O gets 2.7 times its contrast, and a concentration that is 2.7 times too small.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyirena==1.2.0" "xraydb==4.5.8" "periodictable==2.1.0" "numpy==2.4.6" "scipy==1.17.1" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import periodictable
from pyirena.core.scattering_contrast import compute_anomalous_scan, compute_compound

light, heavy = compute_compound("H2O", 0.997), compute_compound("D2O", 1.104)
protein = compute_compound("C106H168N28O32S1", 1.35)
scan = compute_anomalous_scan(light, heavy, 11.9, 12.1, 3)
at_energy = {"H2O": scan["xray_sld_anom_1"][1], "D2O": scan["xray_sld_anom_2"][1]}
dry = compute_anomalous_scan(protein, heavy, 11.9, 12.1, 3)["xray_sld_anom_1"][1]
for name, compound in (("H2O", light), ("D2O", heavy)):
    right = periodictable.xray_sld(name, density=compound.density, energy=12)[0]
    contrast = ((dry - at_energy[name]) / (dry - right)) ** 2
    print(f"{name}: no energy {compound.xray_sld:.2f}, 12 keV {at_energy[name]:.2f}, periodictable {right:.2f}"
          f" (1e10/cm2); contrast of a protein {contrast:.1f} times the right one")
    assert abs(compound.xray_sld / right - 1) < 0.02
    assert abs(at_energy[name] / right - (1 if name == "H2O" else 0.8)) < 0.01
assert contrast > 2.5
PYTHON
