"""Every number that decides something about images that somebody looks at, with its unit and why."""

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
