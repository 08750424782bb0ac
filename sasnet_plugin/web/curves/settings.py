"""Every number that decides something on the pages of curves, with its unit and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CurveSettings:
    """Of `sasnet web`."""

    #: After which a file that is only listed is given up; curves are read in some hundredths.
    look_seconds: float = 60.0
    #: After which a question that somebody waits for is given up: a model that takes longer is no slider's.
    ask_seconds: float = 20.0
    most_rows: int = 200  #: Rows of the list in one answer; a large screen shows some 60.
    #: Bytes of a dropped file; larger ones are images or stacks of them, and lie on a disk already.
    largest_file: int = 50 * 2**20
    #: Files in the folder of what was dropped: those that a browser sends in a few minutes.
    most_dropped: int = 100_000
    longest_search: int = 200  #: Characters of a search, more than a name has.
    deepest: int = 8  #: Folders within each other that are dropped.
    longest_name: int = 200  #: Bytes of a dropped file's name, which file systems allow.
    #: Seconds that a fit may take at most: an hour, after which nobody waits at a page.
    longest_fit: float = 3600.0
    most_waiting: int = 200  #: Fits that wait; whoever has more wants `sasnet batch`.
    most_together: int = 24  #: Curves that are fitted as one sample.
    #: Files of one batch: two nights of two processes; a page shows no more at once.
    most_in_batch: int = 20_000


CURVES = CurveSettings()
