"""Every number that decides something on the pages, with its unit and why."""

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
    deepest: int = 8  #: Folders within each other that are dropped.
    longest_search: int = 200  #: Characters of a search, more than a name has.
    longest_name: int = 200  #: Bytes of a dropped file's name, which file systems allow.
    #: Seconds that a fit may take at most: an hour, after which nobody waits at a page.
    longest_fit: float = 3600.0
    most_waiting: int = 200  #: Fits that wait; whoever has more wants `sasnet batch`.
    most_together: int = 24  #: Curves that are fitted as one sample.
    #: Files of one batch: two nights of two processes; a page shows no more at once.
    most_in_batch: int = 20_000


CURVES = CurveSettings()


@dataclass(frozen=True)
class WebSettings:
    """Of `sasnet tag`."""

    #: From this calibrated probability on a model says that a tag is there; at one half it errs least.
    present: float = 0.5
    least_labelled: int = 20  #: Fewer labelled images than `sasnet train --labels` takes are not given to it.
    longest_name: int = 80  #: Characters of a tag or of a person's name: more does not fit a button.
    longest_filter: int = 2000  #: Characters of a filter; longer ones are no longer typed by people.
    #: Brackets and negations within each other, well below what Python's stack holds.
    deepest_filter: int = 50
    #: Bytes of a request, of which imported labels are the largest: some 10⁶ lines of a CSV.
    largest_request: int = 200 * 2**20
    #: Images that are shown before many are labelled at once: two rows, which are looked at.
    previewed: int = 12
    #: So many images are a screen or more; labels of as many are shown before they are written.
    previewed_from: int = 100
    most_cells: int = 400  #: Images that are described in one answer; a large screen shows some 300.
    selections: int = 16  #: Results of filters that are kept for the pages that are scrolling through them.
    #: That are kept in memory, several screens of them: of these the page lives where the disk is full.
    recent_thumbnails: int = 2000
    #: Between two looks at the folder, which are also this many times as long as the look took.
    scan_seconds: float = 3.0
    #: To wait for somebody else who is writing to a file of labels; longer, nobody waits for an answer.
    database_seconds: float = 10.0
    #: Bytes of memory that imported labels may take, many times what a million of them need.
    largest_labels: int = 4 * 2**30
    most_labels: int = 5_000_000  #: Labels of one file: what a log still takes in at once.
    #: After which reading a file is given up; large stacks say something after each frame.
    file_seconds: float = 120.0
    #: Images that are chosen one by one as the farthest from all before; the rest follow by that distance.
    diverse: int = 200
    alike: int = 200  #: Images that are listed as similar to one.
    batch: int = 32  #: Images that a network is asked about at once; what a kill costs.


WEB = WebSettings()
