"""What a measurement can be: files that claim more are damaged or mean harm, and are refused unread."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Sizes up to which files are read; beyond, memory and time would be the file's to choose."""

    #: Of one curve. Detectors have some 4,000 pixels along a radius, scans and merged settings ten times
    #: that.
    points: int = 100_000
    #: text_bytes, text_lines: of a file of text or XML: `points` with 160 characters each, ten times as many
    #: lines.
    text_bytes: int = 16 * 2**20
    text_lines: int = 1_000_000
    xml_tags: int = 1_000_000  #: Opening and closing: ten for each of `points`.
    #: Characters of a header's line that are looked at; units and names of columns stand before.
    line: int = 1_000
    title: int = 200  #: Characters of a title that are kept.
    #: Of one image. The largest detector for scattering (Eiger2 16M) has 18.1 million.
    pixels: int = 20_000_000
    frames: int = 100_000  #: Of one file; an hour at 25 Hz.
    frames_at_once: int = (
        1_000  #: Of one file that are all read; of a longer series `follow` reads one by one.
    )
    #: Of the arrays of one numpy file, or an unpacked one, which are in memory at once.
    array_bytes: int = 512 * 2**20
    #: Bytes that a byte of a compressed HDF5 data set may stand for; deflate reaches 1,032.
    packing: int = 5_000
    #: objects, depth: groups and data sets of a HDF5 file as one meets them on the way down, and how deep
    #: they lie.
    objects: int = 2_000
    depth: int = 50
    #: rows, values: of all data sets of a HDF5 file together: what sasdata, which reads them all, does in
    #: seconds. Larger files are read without its help.
    rows: int = 1_000_000
    values: int = 20_000_000


LIMITS = Limits()
