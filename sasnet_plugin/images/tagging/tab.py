"""The tab of tags: a folder of images, its labels, and what is retrained on them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...domains import recognise_domain
from ...types import SasnetError
from ...web.images import Images
from .events import Log
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
        self.retraining.stop()
        self.workspace.close()


def open_tagging(
    folder: Path, kind: str, work: Path, dropped: Path | None = None, *, live: bool = True
) -> Tagging:
    """Open the tags of images of a kind; `dropped` is a folder of files dropped on the page. Raises
    SasnetError if labels are another folder's or unreadable.
    """
    work.mkdir(parents=True, exist_ok=True)
    log = Log(str(work / "labels.sqlite"))
    excluded_folder = work if folder.parent != work else None  # what was dropped lies there, too
    thumbnails = Thumbnails(cache_of(folder))
    workspace = Workspace(folder, kind, log, thumbnails, live=live, without=excluded_folder, dropped=dropped)
    folders = [workspace.folder, *([] if dropped is None else [dropped])]
    return Tagging(workspace, Retraining(work / "retrained", kind, folders))


def kind_of(folder: Path) -> str:
    """Return the kind of most of a folder's first files. Raises SasnetError without a clear one."""
    images = Images(folder)
    images.take(images.look())
    votes = Counter(recognise_domain(images.folder / file, tags=True) for file, _ in images.keys[:_LOOKED_AT])
    if not votes:
        raise SasnetError(
            f"{folder}: contains no files yet; give the kind of the coming files with --domain."
        )
    return votes.most_common(1)[0][0]
