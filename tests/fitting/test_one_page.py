"""The page of the algorithm: a fit enters the functions that docs/how_it_works.md names, in its order."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.common import this_process
from sasnet_plugin.data.load import load
from sasnet_plugin.fitting.api import fit_with
from sasnet_plugin.fitting.task import FitOptions

#: Between these rows the steps of the search are taken again and again.
_SEARCH = 7, 14
#: Of a row that a fit takes only where none explains the curve.
_ONLY_THEN = "Where no fit"
_ROW = re.compile(r"^\| \d+ \| (.*) \| `([\w.]+)` \|$", re.MULTILINE)


def test_a_fit_takes_the_steps_of_the_page_in_their_order(repository: Path, tmp_path: Path) -> None:
    text = (repository / "docs/how_it_works.md").read_text(encoding="utf-8")
    rows = _ROW.findall(text)
    assert 20 <= len(rows) <= 25
    named = [name for step, name in rows if not step.startswith(_ONLY_THEN)]
    (described,) = (name for step, name in rows if step.startswith(_ONLY_THEN))
    package, entered = repository / "sasnet_plugin", dict[str, None]()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        del argument
        place = Path(frame.f_code.co_filename)
        if event == "call" and place.is_relative_to(package):
            module = ".".join(place.relative_to(package).with_suffix("").parts)
            entered.setdefault(f"{module}.{frame.f_code.co_qualname}")

    q = np.geomspace(0.005, 0.2, 90)
    x = (50.0 * q) ** 2  # P. Debye, J. Phys. Colloid Chem. 51 (1947) 18
    error = 0.02 * (intensity := 10 * 2 * (np.exp(-x) + x - 1) / x**2 + 0.01)
    measured = intensity + error * np.random.default_rng(1).standard_normal(q.size)
    path = tmp_path / "coils.dat"
    np.savetxt(path, np.column_stack([q, measured, error, 0.01 * q]), header="q(1/A) I(1/cm) dI dq")
    pool, before = this_process(), sys.getprofile()
    sys.setprofile(note)
    try:
        fit_with(pool, load(path)[0], FitOptions())
    finally:
        sys.setprofile(before)
    assert [name for name in named if name not in entered] == []
    assert described not in entered
    order = list(entered)
    once = [*named[: _SEARCH[0]], *named[_SEARCH[1] :]]
    assert sorted(once, key=order.index) == once
