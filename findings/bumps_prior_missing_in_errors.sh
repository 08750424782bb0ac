#!/usr/bin/env bash
# bumps 1.0.5: a Gaussian prior (Parameter.dev) counts in the fit, but not in the error bars.
# The best value obeys the prior and chi-squared counts it as a point. The errors of lm, amoeba and
# newton come from the residuals of the data alone. If the data leave scale and contrast to each
# other and a prior of 3 percent settles the contrast, the error of the contrast is 60 million
# instead of 0.1. With a prior and data of equal weight it is 1.4 times too large.
# Why it matters: who adds what is known from elsewhere sees errors that deny it. DREAM, on the
# same problem, gives the right ones, so that the two seem to contradict each other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "bumps==1.0.5" "numpy==2.4.6" "scipy==1.17.1" || exit 2
venv/bin/python -W ignore - <<'PYTHON'
import numpy as np
from bumps.fitters import fit
from bumps.names import Curve, FitProblem

q = np.linspace(0.01, 0.1, 40)

def guinier(q, scale=2.0, contrast=3.0, rg=20.0):
    return scale * contrast**2 * np.exp(-((q * rg) ** 2) / 3)

def errors(method, prior_of_rg, **options):
    curve = Curve(guinier, q, guinier(q), 0.01 * guinier(q))
    if prior_of_rg:
        curve.scale.range(0, 10)
        curve.rg.dev(prior_of_rg)
    else:
        curve.scale.range(0, 10)
        curve.contrast.dev(0.1)
    problem = FitProblem(curve)
    return dict(zip(problem.labels(), fit(problem, method=method, **options).dx))

for method in ("lm", "amoeba"):
    dx = errors(method, None)["contrast"]
    print(f"{method}: contrast 3 +- {dx:.3g}; the prior alone is 3 +- 0.1")
    assert dx > 1e3
drawn = errors("dream", None, samples=5000, burn=200)["contrast"]
print(f"dream: contrast 3 +- {drawn:.3g}")
assert 0.06 < drawn < 0.16
free = errors("lm", 1e6)["rg"]
both = errors("lm", free)["rg"]
print(f"rg: data alone +- {free:.4f}; with a prior of +- {free:.4f} as well: bumps {both:.4f}, right {free / 2**0.5:.4f}")
assert abs(both / free - 1) < 0.01
PYTHON
