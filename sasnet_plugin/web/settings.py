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
    most_cells : int
        Images that are described in one answer; a large screen shows some 300.
    selections : int
        Results of filters that are kept for the pages that are scrolling through them.
    thumbnail : int
        Pixels of a side: rings and streaks are still told apart.
    descriptor : int
        Pixels of a side of what is compared where no model has seen the images.
    view : int
        Most pixels of a side of the picture of one image.
    decades : float
        Below the brightest hundredth's, drawn as nothing on a logarithmic scale.
    scan_seconds : float
        Between two looks at the folder, which are also this many times as long as the look took.
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
    most_cells: int = 400
    selections: int = 16
    thumbnail: int = 72
    descriptor: int = 8
    view: int = 900
    decades: float = 4.0
    scan_seconds: float = 3.0
    file_seconds: float = 120.0
    diverse: int = 200
    alike: int = 200
    batch: int = 32


WEB = WebSettings()
