#!/usr/bin/env bash
# periodictable 2.1.0: the flag for energy-dependent neutron scattering is wrong in both ways.
# Cadmium has is_energy_dependent = True, but its scattering length density is the same at all
# wavelengths, through its resonance at 0.68 Angstrom, where the absorption is far above 1/v. Only
# the value at 1.798 Angstrom is used. Erbium has False, but its density does change, as a table of
# resonances is used for it: the imaginary part at 0.3 Angstrom is 45 times that at 1.8.
# Why it matters: with cadmium (masks, shields, CdSe particles) the warning flag is set and the
# correction is not made. With erbium the correction is made and the flag denies it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "periodictable==2.1.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import periodictable
from periodictable import neutron_sld

spread = {}
for symbol in ("Cd", "Er", "Gd"):
    element = getattr(periodictable, symbol)
    densities = [neutron_sld(symbol, density=element.density, wavelength=w)[:2] for w in (0.3, 0.68, 1.798, 6.0)]
    print(symbol, "is_energy_dependent:", element.neutron.is_energy_dependent)
    for wavelength, (real, imaginary) in zip((0.3, 0.68, 1.798, 6.0), densities):
        print(f"   {wavelength} A: {real:.3f} - {imaginary:.3f}i  1e-6 1/A^2")
    imaginaries = [float(i) for _, i in densities]
    spread[symbol] = max(imaginaries) / min(imaginaries)
assert periodictable.Cd.neutron.is_energy_dependent
assert abs(spread["Cd"] - 1) < 1e-9
assert not periodictable.Er.neutron.is_energy_dependent
assert spread["Er"] > 10
assert periodictable.Gd.neutron.is_energy_dependent
assert spread["Gd"] > 10
PYTHON
