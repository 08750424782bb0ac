"""What the pages show: curves, images and tags of one server, each opened when it is first looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .curves.bench import Bench


class Tagging(Protocol):
    """Tags of a folder of images, as an extension has them."""

    @property
    def workspace(self) -> Any:
        """What people do to labels."""

    @property
    def retraining(self) -> Any:
        """Retraining of the images' model."""

    def close(self) -> None:
        """End what is under way."""


@dataclass(frozen=True)
class Tabs:
    """What a server may show."""

    bench: Callable[[], Bench] | None = None  #: Opens curves and images; None: there are none.
    #: Opens the tags of images of a kind; None: there are none.
    tagging: Callable[[str], Tagging] | None = None
    folder: Path | None = None  #: Of the images that are tagged.
    kind: str = ""  #: Of the images, where it is known; empty: whoever opens the tab says it.
    user: str = "somebody"  #: Whose name the page of tags begins with.


class Opened:
    """Those that were opened."""

    def __init__(self, tabs: Tabs) -> None:
        self.tabs, self._lock = tabs, threading.Lock()
        self._bench: Bench | None = None
        self._tagging: Tagging | None = None

    @property
    def bench(self) -> Bench | None:
        """Curves and images, opened by the first user. Raises SasnetError without work folder."""
        with self._lock:
            if self._bench is None and self.tabs.bench is not None:
                self._bench = self.tabs.bench()
            return self._bench

    @property
    def tagging(self) -> Tagging | None:
        """Tags, where somebody has opened them, or may without being asked of which kind the images are."""
        if self._tagging is None and self.tabs.kind:
            self.tag(self.tabs.kind)
        return self._tagging

    def tag(self, kind: str) -> Tagging | None:
        """Open the tags of images of a kind, which then stays. Raises SasnetError if unreadable."""
        with self._lock:
            if self._tagging is None and self.tabs.tagging is not None:
                self._tagging = self.tabs.tagging(kind)
            return self._tagging

    def hush(self) -> None:
        """Answer no question any more that takes long."""
        if self._bench is not None:
            self._bench.hush()

    def close(self) -> None:
        for opened in (self._tagging, self._bench):
            if opened is not None:
                opened.close()
