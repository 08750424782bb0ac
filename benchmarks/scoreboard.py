"""How does sasnet do on public data, by the figures that others publish for their programs?

``python -m benchmarks scoreboard --data FOLDER --work W`` takes clones of the repositories of
``benchmarks/repositories.py`` in FOLDER, named without owner, and makes those that are missing with git, at
the stated commits. Nothing of them is kept here. Answers are kept in ``W``, so a stopped run continues. Take
a new folder for another version of sasnet, since answers that are there are not made again.

``--peers PYTHON`` is an interpreter with the programs to compare with (pyirena 1.2.0, h5py, freesas, mcsas3);
bumps is here. ``--quick`` asks a part of each data set. ``--rows roberts afl`` runs some of them. ``--write``
keeps the page as ``docs/scoreboard.md``.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .common import markdown, parser_of
from .repositories import REPOSITORIES
from .rooms import PAGES, checkout_version
from .scoreboard_rows import (
    afl,
    fit_problems,
    glassy_carbon,
    proteins,
    random_models,
    roberts,
    round_robin,
    segments,
)
from .scoreboard_rows.section import Request, Row, Section

DATA_SETS: Mapping[str, Callable[[Request], Section]] = {
    "segments": segments.section,
    "fit_problems": fit_problems.section,
    "afl": afl.section,
    "proteins": proteins.section,
    "roberts": roberts.section,
    "glassy_carbon": glassy_carbon.section,
    "round_robin": round_robin.section,
    "random_models": random_models.section,
}
#: Titles, protocols and sources.
TEXTS = tomllib.loads((Path(__file__).parent / "scoreboard_rows" / "texts.toml").read_text(encoding="utf-8"))
HEAD = """# Scoreboard on public data

How does sasnet do on data that others publish, by their own figures? One command makes this page:

```bash
python -m benchmarks scoreboard --data FOLDER --work W --peers PYTHON --write
```

“Published” is the figure of the other program's authors. “Peer” is another program, run here on the same
files. The networks are trained on simulated curves alone, and none of these data are among them. Misses stay
in the tables. Shares have a standard error. Special words are in the [glossary](glossary.md).

"""


def make_section(name: str, request: Request) -> Section:
    """A data set's section; one that says why there are no figures, where its data cannot be had."""
    began = time.monotonic()
    try:
        section = DATA_SETS[name](request)
    except OSError as error:
        section = Section([Row("not available", "", "", str(error))])
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return section


def write_page(sections: Mapping[str, Section], *, quick: bool) -> str:
    """All figures in one table, then the protocol, source and details of each data set."""
    lines = [
        [
            TEXTS[name]["title"], row.task, row.published, row.peer, row.ours,
            "" if row.seconds is None else f"{row.seconds:.2g}",
        ]
        for name, section in sections.items()
        for row in section.rows
    ]  # fmt: skip
    header = ("data", "figure", "published", "peer, run here", "sasnet", "CPU-s a curve")
    version = (
        f"sasnet at commit {checkout_version()}{', a quick run on a part of the data' if quick else ''}."
    )
    parts = [f"{HEAD}{version}\n\n## All figures\n\n{markdown(header, lines, texts=5)}"]
    for name, section in sections.items():
        text = {key: value.strip() for key, value in TEXTS[name].items()}
        command = f"`python -m benchmarks scoreboard --data FOLDER --work W --rows {name}`"
        parts.append(
            f"## {text['title']}\n\n{text['protocol']}\n\nSource: {text['source']}\n\nCommand: {command}\n\n"
            f"{section.details}"
        )
    commits = [[f"{one.owner}/{name}", one.commit] for name, one in REPOSITORIES.items()]
    parts.append(f"## Commits of the data\n\n{markdown(('repository', 'commit'), commits, texts=2)}")
    return "\n".join(parts)


def run(names: Sequence[str], request: Request) -> str:
    return write_page({name: make_section(name, request) for name in names}, quick=request.quick)


def main() -> int:
    parser = parser_of(__doc__, work=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the clones")
    parser.add_argument("--peers", metavar="PYTHON", help="interpreter that has pyirena, freesas and mcsas3")
    parser.add_argument("--quick", action="store_true", help="ask a part of each data set, in five minutes")
    parser.add_argument(
        "--rows", nargs="+", choices=list(DATA_SETS), default=list(DATA_SETS), help="which data sets"
    )
    options = parser.parse_args()
    page = run(options.rows, Request(options.data, options.work, options.quick, options.peers))
    print(page)
    if options.write:
        PAGES["scoreboard"].write_text(page, encoding="utf-8")
    return 0
