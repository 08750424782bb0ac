"""Write the tables into their pages: ``cd docs && python -m prior_tables [curves gisas …]``, all by default.

What lies between the two markers of a page is replaced.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

#: Module -> page.
PAGES = {
    "curves": "prior_models.md",
    "diffraction": "diffraction_network.md",
    "gisas": "gisas_prior.md",
    "growth": "growth_prior.md",
    "sans": "sans_network.md",
    "xray_tags": "xray_tags_network.md",
}
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def write(path: Path, found: str) -> None:
    """Put tables between the two markers of a page."""
    text = path.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n\n{found}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        found = import_module(f"prior_tables.{name}").tables()
        write(Path(__file__).parents[1] / PAGES[name], found.rstrip("\n") + "\n")
