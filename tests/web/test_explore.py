"""The page from Python: its server shows the curve, and is gone with all it kept when it is closed."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.report.exports.hdf5 import write_curve
from sasnet_plugin.types import Curve, SasnetError

Q = np.geomspace(0.01, 0.3, 60)
CURVE = Curve(Q, 1 / Q, 0.01 / Q, dq=0.05 * Q, file="run 7/latex #1.dat", entry="0.1 %")


@pytest.mark.slow
def test_the_page_has_the_curve_until_it_is_closed() -> None:
    page = sasnet_plugin.explore([CURVE, Curve(Q, 1 / Q**4)], browser=False)
    try:
        home, _, rest = page.address.partition("?")
        token, _, shown = rest.partition("#show?")
        key = parse_qs(shown)["key"][0]
        assert key.startswith("folder:001-latex")

        def ask(where: str) -> Any:
            with urllib.request.urlopen(f"{home}api/{where}?{token}") as answer:
                return json.load(answer)

        until = time.monotonic() + 120
        while (news := ask("news"))["left"] and time.monotonic() < until:
            time.sleep(0.3)
        assert (news["left"], news["total"]) == (0, 2)
        assert page.address in page._repr_html_().replace("&amp;", "&")
        kept = page.folder
        assert kept.exists()
    finally:
        page.close()
    assert not kept.exists()
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{home}api/news?{token}", timeout=5)
    page.close()  # once more is nothing


@pytest.mark.parametrize("slit", [False, True])
def test_a_curve_is_written_as_it_is_read(tmp_path: Any, slit: bool) -> None:
    resolution = {"dxl": 0.02 + 0 * Q, "dxw": 0.001 + 0 * Q} if slit else {"dq": 0.05 * Q}
    curve = Curve(Q, 1 / Q, 0.01 / Q, **resolution)
    write_curve(curve, tmp_path / "a.h5")
    (found,) = sasnet_plugin.load(tmp_path / "a.h5")
    for name in ("q", "intensity", "dintensity", *resolution):
        np.testing.assert_allclose(getattr(found, name), getattr(curve, name), rtol=1e-12)
    assert found.q_unit.stated


def test_what_cannot_be_explored_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SasnetError, match="no curve to explore"):
        sasnet_plugin.explore([])
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(SasnetError, match=r"needs uvicorn, which is not installed; run .*\[web\]"):
        sasnet_plugin.explore(CURVE)
