#!/usr/bin/env bash
# pyirena 1.2.0: averaging and subtraction drop every intensity that is not above zero.
# All curves but the first are interpolated between logarithms, where points at or below zero do not
# exist. Their neighbours, which noise has raised, stand in for them. At high q, where the noise is
# twice the signal, the average of 100 frames is twice the signal. A background that is subtracted is
# too large by the same mean. This happens on identical q as well, where nothing needs interpolation.
# Why it matters: intensities below zero are as good as those above. Without them the background is
# wrong, and with it every power law, Porod constant and invariant. The error bars do not tell.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyirena==1.2.0" "numpy==2.4.6" "scipy==1.17.1" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from pyirena.core.data_manipulation import DataManipulation, SubtractConfig

rng = np.random.default_rng(1)
q = np.geomspace(0.01, 0.5, 200)
background, noise = 1e-3, 2e-3
high = q > 0.2
sample = background + np.exp(-((q * 50) ** 2) / 3)
sigma = np.full(q.size, noise)

def measured(curve):
    return q, curve + rng.normal(0, noise, q.size), sigma, None

frames = [measured(sample) for _ in range(100)]
average = DataManipulation.average(frames)
plain = np.mean([frame[1] for frame in frames], axis=0)[high].mean()
found = average.I[average.q > 0.2].mean()
print(f"average of 100 frames above q = 0.2: true {background:.5f}, mean {plain:.5f}, pyirena {found:.5f}")
assert abs(plain / background - 1) < 0.02
assert found > 1.8 * background

differences = []
for _ in range(100):
    solvent = measured(np.full(q.size, background))
    result = DataManipulation.subtract(*measured(sample), *solvent[:3], SubtractConfig())
    differences.append(result.I[result.q > 0.2].mean())
print(f"sample - background there: true 0, pyirena {np.mean(differences):.5f}")
assert np.mean(differences) < -0.8 * background
PYTHON
