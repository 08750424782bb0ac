"""The notebook of the documentation, run without any magic: it shows curves, answers and pictures."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def cells() -> list[Any]:
    """Cells with their outputs, as a kernel leaves them that nobody has set up."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(FOLDER / "notebook.ipynb", as_version=4)
    before = os.environ.pop("MPLBACKEND", None)  # as in a user's Jupyter, which sets its own
    try:
        nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    finally:
        if before is not None:
            os.environ["MPLBACKEND"] = before
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cells: list[Any], source: str, kind: str) -> str:
    """What the first cell with this source shows, of one kind."""
    cell = next(cell for cell in cells if source in cell.source)
    return next(o["data"][kind] for o in cell.outputs if kind in o.get("data", {}))


@pytest.mark.slow
def test_it_runs_and_shows_what_it_says(cells: list[Any]) -> None:
    assert not any("%" == line[:1] for cell in cells for line in cell.source.splitlines())
    assert shown(cells, "load(folder", "text/html").count("<svg") == 1
    fitted = shown(cells, "progress=told", "text/html")
    assert "hayter_msa" in fitted
    assert "Fits the data" in fitted
    assert "fit(curve" in shown(cells, "wrong = fit", "text/html")
    assert "sasnet fit" not in str(cells)
    picture = base64.b64decode(shown(cells, "result.plot()", "image/png"))
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000
