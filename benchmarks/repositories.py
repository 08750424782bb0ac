"""Public repositories of curves, each at a stated commit; nothing of them is kept here."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple


class Repository(NamedTuple):
    """A repository on GitHub."""

    owner: str
    commit: str
    folders: tuple[str, ...] = ()  #: What is needed of it; empty for all.


REPOSITORIES = {
    "saxsmerge_benchmark": Repository("integrativemodeling", "e55ec1940e0db581225732d730543a2d8b846785"),
    "bioxtasraw": Repository("jbhopkins", "7e085713d3ff2b16b71ffbceaee2ac1fd5e79d0f"),
    "UnsolvedProblems": Repository("eljja", "104440246cc014741b2bf7e03e9329b1a41439c4"),
    "pyirena": Repository(
        "jilavsky", "cf8b4759e221e86e671c4e619be949887caf4ac6", ("testData/StructureIdentificationExamples",)
    ),
    "AutomatedSAS": Repository("grahamWroberts", "58c24a2c508afff445be135466ba2b4314688025", ("data",)),
    "fitbenchmarking": Repository(
        "fitbenchmarking", "84430e1909aca194a218ca497c1658c4585f2b5c",
        ("examples/benchmark_problems/SAS_modelling",),
    ),
    "AFL-agent": Repository(
        "usnistgov", "a1cc6e53438f6b0135c2e73d71fc260b9191029d", ("AFL/double_agent/data",)
    ),
    "McSAS3GUI": Repository(
        "BAMresearch", "ea8998e5eeaf55330eaa7ac466f62759a4fa5930", ("src/mcsas3gui/testdata",)
    ),
    "1dwg": Repository("canSAS-org", "5e7949a6f50ba328947ed3c05dbb44d8af88e794", ("data",)),
}  # fmt: skip


def folder_of(data: Path, name: str) -> Path:
    """Return the clone of a repository in the folder `data`, made with git where it is missing.

    Raises
    ------
    OSError
        It cannot be cloned, or the clone is at another commit.
    """
    repository, folder = REPOSITORIES[name], data / name
    if not folder.exists():
        address = f"https://github.com/{repository.owner}/{name}"
        # Only the files of the folders are downloaded, in the checkout.
        _git("clone", "-q", "--filter=blob:none", "--no-checkout", address, str(folder))
        if repository.folders:
            _git("-C", str(folder), "sparse-checkout", "set", "--no-cone", *repository.folders)
        _git("-C", str(folder), "checkout", "-q", repository.commit)
    head = _git("-C", str(folder), "rev-parse", "HEAD")
    if head != repository.commit:
        raise OSError(f"{folder.name} is at commit {head[:12]}, not at {repository.commit[:12]}")
    return folder


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["git failed"])[-1])
    return done.stdout.strip()
