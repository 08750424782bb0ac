"""How far a fit is: told to who asks, a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from sasnet_plugin.fitting.progress import show_progress


class Terminal(io.StringIO):
    """Where somebody looks."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_who_asks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    with show_progress(lambda **how: heard.append(how), 10.0) as tell:
        assert tell is not None
        tell(done=1, of=2, name="sphere", reduced_chisq=1.5)
    assert heard == [{"done": 1, "of": 2, "name": "sphere", "reduced_chisq": 1.5}]


def test_nothing_is_written_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    for quiet, stream in ((True, io.StringIO()), (False, Terminal())):
        monkeypatch.setattr(sys, "stderr", stream)
        with show_progress(quiet, 10.0) as tell:
            assert tell is None
        assert stream.getvalue() == ""


def test_a_terminal_has_a_bar_with_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with show_progress(True, 10.0) as tell:
        assert tell is not None
        tell(done=1, of=3, name="sphere", reduced_chisq=1.25)
        tell(done=2, of=3, name="cylinder", reduced_chisq=9.0)
    assert "cylinder, best reduced χ² 1.25" in stream.getvalue()
    assert stream.getvalue().endswith(("\x1b[?25h", "\x1b[2K"))  # the bar is gone
