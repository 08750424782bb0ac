"""The sentences of the command line about options; what fills their gaps is found elsewhere."""

from __future__ import annotations

from ..wording import template

# Former spellings, until the next release.
RENAMED_OPTION = template(
    "{old} is now called {new}; the old name works until the next release.", old="--fix", new="--fixed"
)
REPORT_IN_FOLDER = template(
    "--report now takes a folder; a file name such as {file} works until the next release.",
    file="sorted.html",
)  # fmt: skip
