#!/usr/bin/env bash
# freesas 2026.10.0: auto_guinier gives a radius of gyration up to 2.6 times too large, at times.
# For an ideal sphere with errors of 1 per cent, 6 of 100 noise patterns give an Rg that is wrong
# by more than a quarter. It then takes a region of 3 to 8 points and says sigma_Rg = 0 with a
# quality of 0.87 to 0.98, higher than that of most right answers. autoRg, on the same data, is
# right within 4 per cent.
# Why it matters: auto_guinier gives auto_bift its first Dmax. In a screening of hundreds of
# proteins some seem to be aggregated, and these are other ones at each repetition.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "freesas==2026.10.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from freesas.autorg import auto_guinier, autoRg

radius = 2.5
true = radius * 0.6**0.5
q = np.linspace(0.05, 4, 400)
x = q * radius
intensity = 10 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
sigma = 0.01 * intensity + 1e-3
by_guinier, by_autorg = [], []
for seed in range(100):
    noisy = intensity + np.random.default_rng(seed).normal(0, sigma)
    data = np.column_stack([q, noisy, sigma])
    by_guinier.append(auto_guinier(data))
    by_autorg.append(autoRg(data).Rg)
wrong = [result for result in by_guinier if abs(result.Rg / true - 1) > 0.25]
right = [result for result in by_guinier if abs(result.Rg / true - 1) <= 0.25]
print(f"true Rg {true:.3f} nm")
print(f"auto_guinier: wrong by more than 25 %: {len(wrong)} of 100")
for result in wrong:
    points = result.end_point - result.start_point
    print(f"   Rg {result.Rg:.2f} +- {result.sigma_Rg} nm of {points} points, quality {result.quality:.2f}")
print(f"   quality of the others: median {np.median([result.quality for result in right]):.2f}")
print(f"autoRg:       {min(by_autorg):.2f} to {max(by_autorg):.2f} nm")
assert len(wrong) >= 3
assert max(result.Rg for result in wrong) > 2 * true
assert np.median([result.quality for result in wrong]) > np.median([result.quality for result in right])
assert np.abs(np.array(by_autorg) / true - 1).max() < 0.05
PYTHON
