"""The sentences of the command line about options; what fills their gaps is found elsewhere."""

from __future__ import annotations

from ..wording import template

# Former spellings, until the next release.
RENAMED_OPTION = template(
    "{old} is now called {new}; the old name works until the next release.", old="--fix", new="--fixed"
)
PICTURES_SKIPPED = template(
    "{file}: this is {picture}. Pictures in the folder are skipped, as they hold no detector counts; follow"
    " the detector's TIFF, CBF, EDF or HDF5 files.",
    file="run1.png", picture="a PNG image",
)  # fmt: skip
REPORT_IN_FOLDER = template(
    "--report now takes a folder; a file name such as {file} works until the next release.",
    file="sorted.html",
)  # fmt: skip
