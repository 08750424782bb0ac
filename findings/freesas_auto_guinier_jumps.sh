#!/usr/bin/env bash
# freesas 2026.10.0: auto_guinier gives a radius of gyration up to three times too large, rarely.
# For an ideal sphere with errors of 1 per cent, about one noise pattern in twelve gives an Rg
# that is wrong by more than a quarter; the largest is 2.5 times the true one. No exception, no
# lower quality tells it from the others. autoRg, on the same data, is right within 4 per cent.
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
    by_guinier.append(auto_guinier(data).Rg)
    by_autorg.append(autoRg(data).Rg)
wrong = np.abs(np.array(by_guinier) / true - 1) > 0.25
print(f"true Rg {true:.3f} nm")
print(f"auto_guinier: {min(by_guinier):.2f} to {max(by_guinier):.2f} nm; wrong by more than 25 %: {wrong.sum()} of 100")
print(f"autoRg:       {min(by_autorg):.2f} to {max(by_autorg):.2f} nm")
assert wrong.sum() >= 3
assert max(by_guinier) > 2 * true
assert np.abs(np.array(by_autorg) / true - 1).max() < 0.05
PYTHON
