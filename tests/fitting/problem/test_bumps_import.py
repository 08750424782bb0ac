"""Bumps is imported without scipy.stats, scipy.optimize and h5py, and finds them where it needs them."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _run(code: str) -> str:
    """Run code in a new process of Python."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_fit_imports_no_statistics_and_a_prior_that_is_a_distribution_does() -> None:
    found = _run(
        "import sys\n"
        "from sasnet_plugin.fitting.problem.bumps_import import import_bumps\n"
        "import_bumps()\n"
        "print(any(name in sys.modules for name in ('scipy.stats', 'scipy.optimize', 'h5py')))\n"
        "from bumps import bounds, fitproblem\n"
        "print(bounds.normal_distribution.pdf(0.0), fitproblem.chi2(3).mean())\n"
        "import scipy.stats\n"
        "print(scipy.stats.norm.pdf(0.0), isinstance(scipy.stats.norm, scipy.stats.rv_continuous))"
    ).split()
    assert found[0] == "False"
    assert float(found[1]) == float(found[3]) == pytest.approx(0.39894228)
    assert float(found[2]) == pytest.approx(3.0)
    assert found[4] == "True"


def test_bumps_own_call_gives_a_result_of_scipy() -> None:
    found = _run(
        "from sasnet_plugin.fitting.problem.bumps_import import import_bumps\n"
        "import_bumps()\n"
        "import numpy as np\n"
        "from bumps.curve import Curve\n"
        "from bumps.fitproblem import FitProblem\n"
        "from bumps.fitters import fit\n"
        "x = np.linspace(0, 1, 20)\n"
        "def straight(x, m=1.0, b=0.5):\n"
        "    return m * x + b\n"
        "line = Curve(straight, x, 3 * x + 2, np.full(20, 0.1))\n"
        "line.m.range(0, 10), line.b.range(0, 10)\n"
        "found = fit(FitProblem(line), method='lm', verbose=False)\n"
        "from scipy.optimize import OptimizeResult\n"
        "from bumps import fitters\n"
        "same = isinstance(found, OptimizeResult) and isinstance(found, fitters.OptimizeResult)\n"
        "values = sorted(round(float(v), 6) for v in found.x)\n"
        "print(same and not isinstance(3, fitters.OptimizeResult), *values)"
    )
    assert found.splitlines()[-1] == "True 2.0 3.0"


def test_statistics_that_are_there_are_used() -> None:
    found = _run(
        "import scipy.stats\n"
        "from sasnet_plugin.fitting.problem.bumps_import import import_bumps\n"
        "import_bumps()\n"
        "from bumps import fitproblem\n"
        "print(fitproblem.chi2 is scipy.stats.chi2)"
    )
    assert found == "True"


def test_a_batch_of_one_process_imports_in_its_own_neither_scipy_nor_the_network() -> None:
    found = _run(
        "import sys\n"
        "from sasnet_plugin.batch.plan import Options, version\n"
        "from sasnet_plugin.batch.run import local\n"
        "from sasnet_plugin.fitting.asked import check_names\n"
        "check_names(Options().fit)\n"
        "version()\n"
        "print([name for name in ('scipy', 'onnxruntime', 'sasmodels', 'bumps') if name in sys.modules])"
    )
    assert found == "[]"
