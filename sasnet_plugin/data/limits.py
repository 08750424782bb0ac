"""What a measurement can be: files that claim more are damaged or mean harm, and are refused unread."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Sizes up to which files are read; beyond, memory and time would be the file's to choose.

    Parameters
    ----------
    points : int
        Of one curve. Detectors have some 4,000 pixels along a radius, scans and merged settings ten times
        that.
    text_bytes, text_lines : int
        Of a file of text or XML: `points` with 160 characters each, ten times as many lines.
    xml_tags : int
        Opening and closing: ten for each of `points`.
    line : int
        Characters of a header's line that are looked at; units and names of columns stand before.
    title : int
        Characters of a title that are kept.
    pixels : int
        Of one image. The largest detector for scattering (Eiger2 16M) has 18.1 million.
    frames : int
        Of one file; an hour at 25 Hz.
    array_bytes : int
        Of the arrays of one numpy file, or an unpacked one, which are in memory at once.
    packing : int
        Bytes that a byte of a compressed HDF5 data set may stand for; deflate reaches 1,032.
    objects, depth : int
        Groups and data sets of a HDF5 file as one meets them on the way down, and how deep they lie.
    rows, values : int
        Of all data sets of a HDF5 file together: what sasdata, which reads them all, does in seconds. Larger
        files are read without its help.
    """

    points: int = 100_000
    text_bytes: int = 16 * 2**20
    text_lines: int = 1_000_000
    xml_tags: int = 1_000_000
    line: int = 1_000
    title: int = 200
    pixels: int = 20_000_000
    frames: int = 100_000
    array_bytes: int = 512 * 2**20
    packing: int = 5_000
    objects: int = 2_000
    depth: int = 50
    rows: int = 1_000_000
    values: int = 20_000_000


LIMITS = Limits()
