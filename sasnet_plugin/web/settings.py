"""Every number that decides something on the pages, with its unit and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WebSettings:
    """Of `sasnet tag`.

    Parameters
    ----------
    present : float
        From this calibrated probability on a model says that a tag is there; at one half it errs least.
    least_labelled : int
        Fewer labelled images than `sasnet train --labels` takes are not given to it.
    longest_name : int
        Characters of a tag or of a person's name: more does not fit a button.
    longest_filter : int
        Characters of a filter; longer ones are no longer typed by people.
    deepest_filter : int
        Brackets and negations within each other, well below what Python's stack holds.
    largest_request : int
        Bytes of a request, of which imported labels are the largest: some 10⁶ lines of a CSV.
    previewed : int
        Images that are shown before many are labelled at once: two rows, which are looked at.
    previewed_from : int
        So many images are a screen or more; labels of as many are shown before they are written.
    most_cells : int
        Images that are described in one answer; a large screen shows some 300.
    selections : int
        Results of filters that are kept for the pages that are scrolling through them.
    recent_thumbnails : int
        That are kept in memory, several screens of them: of these the page lives where the disk is full.
    scan_seconds : float
        Between two looks at the folder, which are also this many times as long as the look took.
    database_seconds : float
        To wait for somebody else who is writing to a file of labels; longer, nobody waits for an answer.
    largest_labels : int
        Bytes of memory that imported labels may take, many times what a million of them need.
    most_labels : int
        Labels of one file: what a log still takes in at once.
    file_seconds : float
        After which reading a file is given up; large stacks say something after each frame.
    diverse : int
        Images that are chosen one by one as the farthest from all before; the rest follow by that distance.
    alike : int
        Images that are listed as similar to one.
    batch : int
        Images that a network is asked about at once; what a kill costs.
    """

    present: float = 0.5
    least_labelled: int = 20
    longest_name: int = 80
    longest_filter: int = 2000
    deepest_filter: int = 50
    largest_request: int = 200 * 2**20
    previewed: int = 12
    previewed_from: int = 100
    most_cells: int = 400
    selections: int = 16
    recent_thumbnails: int = 2000
    scan_seconds: float = 3.0
    database_seconds: float = 10.0
    largest_labels: int = 4 * 2**30
    most_labels: int = 5_000_000
    file_seconds: float = 120.0
    diverse: int = 200
    alike: int = 200
    batch: int = 32


WEB = WebSettings()
