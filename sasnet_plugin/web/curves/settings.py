"""Every number that decides something on the pages of curves, with its unit and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CurveSettings:
    """Of `sasnet web`.

    Parameters
    ----------
    look_seconds : float
        After which a file that is only listed is given up; curves are read in some hundredths.
    ask_seconds : float
        After which a question that somebody waits for is given up: a model that takes longer is no slider's.
    most_rows : int
        Rows of the list in one answer; a large screen shows some 60.
    largest_file : int
        Bytes of a dropped file; larger ones are images or stacks of them, and lie on a disk already.
    most_dropped : int
        Files in the folder of what was dropped: those that a browser sends in a few minutes.
    longest_search : int
        Characters of a search, more than a name has.
    longest_name : int
        Bytes of a dropped file's name, which file systems allow.
    longest_fit : float
        Seconds that a fit may take at most: an hour, after which nobody waits at a page.
    most_waiting : int
        Fits that wait; whoever has more wants `sasnet batch`.
    most_together : int
        Curves that are fitted as one sample.
    most_in_batch : int
        Files of one batch: two nights of two processes; a page shows no more at once.
    """

    look_seconds: float = 60.0
    ask_seconds: float = 20.0
    most_rows: int = 200
    largest_file: int = 50 * 2**20
    most_dropped: int = 100_000
    longest_search: int = 200
    longest_name: int = 200
    longest_fit: float = 3600.0
    most_waiting: int = 200
    most_together: int = 24
    most_in_batch: int = 20_000


CURVES = CurveSettings()
