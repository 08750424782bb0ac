#!/usr/bin/env bash
# mcsas3 1.0.6: the best scale and background depend on the unit of the intensity.
# For each step McSAS3 seeks the two numbers by an iterative minimiser, though the problem is
# linear and has an exact solution. With dilute samples the scale is a small number, 1e-8, and the
# minimiser stops early. For 300 spheres and a volume fraction of 1e-5 the same data in 1/cm give a
# reduced chi-squared of tens instead of 1; in 1/m, 100 times larger, they give the right one.
# Why it matters: the Monte Carlo loop accepts and stops by this number. Dilute samples in 1/cm
# never converge, or volume fraction and background absorb what the minimiser has missed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "mcsas3==1.0.6" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from mcsas3.osb import optimizeScalingAndBackground

rng = np.random.default_rng(0)
q = np.geomspace(0.005, 0.4, 100)
model = np.zeros(q.size)
for radius in rng.normal(100, 10, 300):  # spheres of contrast 3e-6 1/A^2, in 1/cm as sasmodels has them
    x = q * radius
    model += 1e-4 * 9 * 4 / 3 * np.pi * radius**3 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
truth = model / 300 * 1e-5
truth = truth + 1e-3 * truth[0]
noise = rng.normal(0, 0.02, q.size)
found = {}
for unit, factor in (("1/cm", 1), ("1/m", 100)):
    intensity, sigma = factor * truth * (1 + noise), factor * 0.02 * truth
    rows = np.column_stack([model, np.ones(q.size)]) / sigma[:, None]
    solution, residual, *_ = np.linalg.lstsq(rows, intensity / sigma, rcond=None)
    (scale, background), chi2 = optimizeScalingAndBackground(intensity, sigma).match(model)
    found[unit] = chi2 / (residual[0] / q.size)
    print(f"{unit}: exact chi2 {residual[0] / q.size:.3f}, McSAS3 {chi2:.3f}; scale / exact {scale / solution[0]:.3f}")
assert found["1/cm"] > 5
assert found["1/m"] < 1.1
PYTHON
