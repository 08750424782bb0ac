"""Copy printed answers into pages that nobody builds, such as README.

    python docs/samples.py

``<!-- sample: docs/fitting/fitted.txt -->`` stands above the block that has the text of this file. The
answers themselves are printed by the commands: ``python docs/pictures.py``, which ends by copying them.
"""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
_SAMPLE = re.compile(r"(?<=<!-- sample: )(\S+)( -->\n+```\w*\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def fill(text: str) -> str:
    """A page with its samples as the files have them now."""
    return _SAMPLE.sub(lambda found: f"{found[1]}{found[2]}{_read(found[1])}\n", text)


def _read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8").strip("\n")


def main() -> None:
    """Copy all."""
    for page in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        if (filled := fill(text)) != text:
            page.write_text(filled, encoding="utf-8")
            print(page)


if __name__ == "__main__":
    main()
