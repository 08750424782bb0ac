"""What the pages show: curves, images and tags of one server, each opened when it is first looked at."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..domains import recognised
from ..types import SasnetError
from .curves.bench import Bench
from .events import Log
from .images import Images
from .retraining import Retraining
from .thumbnails import Thumbnails, cache_of
from .workspace import Workspace

#: Files that are looked at to see what a folder holds.
_LOOKED_AT = 20


@dataclass(frozen=True)
class Tagging:
    """A folder of images whose tags are given."""

    workspace: Workspace
    retraining: Retraining  #: Of the images' model.

    def close(self) -> None:
        """End what is under way."""
        self.retraining.stop()
        self.workspace.close()


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
        """Curves and images; opened by whoever asks first.

        Raises
        ------
        SasnetError
            The folder for what is done cannot be used.
        """
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
        """Open the tags of images of a kind; once open, they stay of that kind.

        Raises
        ------
        SasnetError
            The labels are another folder's, or cannot be read.
        """
        with self._lock:
            if self._tagging is None and self.tabs.tagging is not None:
                self._tagging = self.tabs.tagging(kind)
            return self._tagging

    def hush(self) -> None:
        """Answer no question any more that takes long."""
        if self._bench is not None:
            self._bench.hush()

    def close(self) -> None:
        """End what is under way."""
        for one in (self._tagging, self._bench):
            if one is not None:
                one.close()


def tagged_in(
    folder: Path, kind: str, work: Path, dropped: Path | None = None, *, live: bool = True
) -> Tagging:
    """Open the tags of images of a kind; labels and retrained models lie in a folder.

    Parameters
    ----------
    dropped : Path, optional
        A folder of files that were dropped on the page; their images are tagged, too.

    Raises
    ------
    SasnetError
        The labels are another folder's, or cannot be read.
    """
    work.mkdir(parents=True, exist_ok=True)
    log = Log(str(work / "labels.sqlite"))
    without = work if folder.parent != work else None  # what was dropped lies there, too
    thumbnails = Thumbnails(cache_of(folder))
    workspace = Workspace(folder, kind, log, thumbnails, live=live, without=without, dropped=dropped)
    folders = [workspace.folder, *([] if dropped is None else [dropped])]
    return Tagging(workspace, Retraining(work / "retrained", kind, folders))


def kind_of(folder: Path) -> str:
    """What most of the first files of a folder are.

    Raises
    ------
    SasnetError
        There is no file yet, or one may be of several kinds.
    """
    images = Images(folder)
    images.take(images.look())
    votes = Counter(recognised(images.folder / file, tags=True) for file, _ in images.keys[:_LOOKED_AT])
    if not votes:
        raise SasnetError(f"{folder}: holds no files yet; say what will come with --domain.")
    return votes.most_common(1)[0][0]
