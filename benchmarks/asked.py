"""What a benchmark can be asked for: whole numbers, a folder to work in, and whether its tables are kept."""

from __future__ import annotations

from argparse import ArgumentParser, RawTextHelpFormatter
from pathlib import Path


def parser_of(
    said: str | None, *, work: bool = False, write: bool = True, **numbers: int | tuple[int, str]
) -> ArgumentParser:
    found = ArgumentParser(description=said, formatter_class=RawTextHelpFormatter)
    if work:
        found.add_argument("--work", type=Path, required=True, help="folder of what is computed, and goes on")
    for name, given in numbers.items():
        default, what = given if isinstance(given, tuple) else (given, None)
        found.add_argument(f"--{name}", type=int, default=default, help=what)
    if write:
        found.add_argument("--write", action="store_true", help="keep the tables beside this file")
    return found
