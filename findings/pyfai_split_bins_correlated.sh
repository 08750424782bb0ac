#!/usr/bin/env bash
# pyFAI 2026.9.0: with narrow bins neighbouring points of a curve repeat each other, and no error says so.
# By default a pixel is shared among the bins that it covers. With three bins to a pixel neighbours
# correlate by 0.8, with 0.7 bins by 0.2. The uncertainty of each point is right, but there are fewer
# independent points than points. Without splitting ("no") the correlation is zero.
# Why it matters: fitting programs take points to be independent. A fitted scale scatters here 1.7 times
# more than its error says, noise looks like oscillations, and tests of residuals (runs, CorMap) fail.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyFAI==2026.9.0" "numpy==2.4.6" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import logging

import numpy as np
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

logging.disable(logging.WARNING)
rng = np.random.default_rng(0)
pixels, size = 400, 172e-6
detector = Detector(size, size, max_shape=(pixels, pixels))
integrator = AzimuthalIntegrator(dist=1.0, poni1=pixels / 2 * size, poni2=pixels / 2 * size, detector=detector,
                                 wavelength=1e-10)
images = rng.poisson(100, (60, pixels, pixels)).astype("float32")
options = {"unit": "q_A^-1", "error_model": "poisson", "correctSolidAngle": False}

def noise(bins, **method):
    curves = [integrator.integrate1d(image, bins, **options, **method) for image in images]
    part = slice(bins // 4, bins // 2)
    values = np.array([curve.intensity[part] for curve in curves])
    sigma = np.array([curve.sigma[part] for curve in curves])
    neighbours = np.mean(np.diag(np.corrcoef(values.T), 1))
    weights = 1 / sigma**2
    scale = (weights * values).sum(axis=1) / weights.sum(axis=1)
    return neighbours, np.mean(sigma) / values.std(axis=0).mean(), scale.std() * weights.sum(axis=1).mean() ** 0.5

results = []
for name, bins, method in (("default", 800, {}), ("default", 200, {}), ("no splitting", 800, {"method": ("no", "csr", "cython")})):
    results.append(noise(bins, **method))
    print(f"{name}, {bins / (pixels / 2**0.5):.1f} bins to a pixel: neighbours correlate by {results[-1][0]:.2f}; sigma /"
          f" scatter of a point {results[-1][1]:.2f}; scatter / error of a fitted scale {results[-1][2]:.2f}")
narrow, wide, whole = results
assert narrow[0] > 0.7 and abs(narrow[1] - 1) < 0.1 and narrow[2] > 1.4
assert 0.1 < wide[0] < 0.4
assert abs(whole[0]) < 0.1 and abs(whole[2] - 1) < 0.3
PYTHON
