#!/usr/bin/env bash
# sasdata 0.11.0: the names of two fields decide whether smearing uses the resolution of q or not.
# NXcanSAS tells the uncertainty of q (how well its value is known) from its resolution (how wide
# a range contributes). The reader puts both into dx, and the one that comes last in the alphabet
# stays. With resolution Qdev and uncertainty Qunc, dx is the uncertainty, 50 times too small here.
# With the uncertainty named Q_unc it is the resolution.
# Why it matters: dx is what the model is smeared with. Smearing that is lost looks like a broad
# size distribution.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "sasdata==0.11.0" "numpy==2.4.6" "h5py==3.16.0" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import h5py
import numpy as np
from sasdata.dataloader.loader import Loader

q = np.linspace(0.01, 0.2, 20)
intensity = 1 / q

def write(name, extra):
    with h5py.File(name, "w") as file:
        entry = file.create_group("sasentry01")
        entry.attrs["canSAS_class"], entry.attrs["version"] = "SASentry", "1.1"
        entry["definition"], entry["title"], entry["run"] = "NXcanSAS", "a curve", "1"
        group = entry.create_group("sasdata01")
        group.attrs["canSAS_class"], group.attrs["signal"] = "SASdata", "I"
        group.attrs["I_axes"], group.attrs["Q_indices"] = "Q", [0]
        group["Q"], group["I"], group["Idev"] = q, intensity, 0.02 * intensity
        group["Q"].attrs["units"], group["I"].attrs["units"] = "1/angstrom", "1/cm"
        group["I"].attrs["uncertainties"] = "Idev"
        extra(group)
    return Loader().load(name)[0]

def both(uncertainty):
    def extra(group):
        group["Q"].attrs["resolutions"], group["Q"].attrs["uncertainties"] = "Qdev", uncertainty
        group["Qdev"], group[uncertainty] = 0.05 * q, 0.001 * q

    return extra

print("resolution 5 % of q, uncertainty 0.1 % of q")
for name, expected in (("Qunc", 0.001), ("Q_unc", 0.05)):
    data = write(f"{name}.h5", both(name))
    print(f"uncertainty named {name}: dx / q = {data.dx[0] / q[0]:.3f}")
    assert np.allclose(data.dx, expected * q)
PYTHON
