#!/usr/bin/env bash
# pyirena 1.2.0: the average of 100 equal frames has the error bar of a single one.
# DataManipulation.average gives the larger of the propagated error and the scatter of the frames.
# The scatter is the standard deviation of one frame, not that of the mean (smaller by the root of
# the number of frames). So the error does not shrink, however many frames are averaged.
# Why it matters: the deviation of the average from the truth is ten times smaller than its error bar.
# A fit of a wrong model then has a reduced chi-squared of 0.01 and looks perfect, and the errors of
# its parameters are ten times too large.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyirena==1.2.0" "numpy==2.4.6" "scipy==1.17.1" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from pyirena.core.data_manipulation import DataManipulation

rng = np.random.default_rng(1)
q = np.geomspace(0.01, 0.1, 400)
true = 10 * np.exp(-((q * 20) ** 2) / 3)
sigma = 0.01 * true
for number in (1, 4, 25, 100):
    frames = [(q, true + rng.normal(0, sigma), sigma, None) for _ in range(number)]
    average = DataManipulation.average(frames)
    stated = np.median(average.dI / true)
    actual = np.std(average.I / true - 1)
    print(f"{number:3d} frames of 1 %: the average is wrong by {100 * actual:.2f} %, its error bar is {100 * stated:.2f} %")
assert abs(actual / 0.001 - 1) < 0.1
assert abs(stated / 0.01 - 1) < 0.1
PYTHON
