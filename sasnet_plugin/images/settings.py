"""Every number that decides something about images on a page and in pictures, with its unit and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageSettings:
    """Of images on a page."""

    #: Images of one file that are listed: of a stack as many as somebody looks through one by one.
    most: int = 100
    batch: int = 16  #: That a network is asked about at once.
    #: Images that are kept as they were read, between which somebody goes to and fro; each some 100 MB at
    #: most.
    kept: int = 4
    #: texts, longest: settings of a geometry that may be given, and characters of each: there are some
    #: twenty.
    texts: int = 30
    longest: int = 200


IMAGES = ImageSettings()


@dataclass(frozen=True)
class RasterSettings:
    """Of pictures for a page that zooms them."""

    thumbnail: int = 72  #: Pixels of a side: rings and streaks are still told apart.
    descriptor: int = 8  #: Pixels of a side of what is compared where no model has seen the images.
    view: int = 900  #: Most pixels of a side of the picture of one image: as many as a page has for it.
    #: The same where somebody looks closer: a detector of 4 million pixels, each of its own.
    fine: int = 2400
    decades: float = 4.0  #: Below the brightest hundredth's, drawn as nothing on a logarithmic scale.
    far: float = 5.0  #: Standard deviations from which on a residual has the last colour.


RASTER = RasterSettings()
