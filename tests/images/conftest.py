"""The tiny network in place of the trained one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tinyzoo import write_zoo


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo with the tiny network, found through the environment."""
    folder = write_zoo(tmp_path / "zoo")
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(folder))
    return folder
