"""``sasnet tag FOLDER``: look at images in the browser, tag them, and train on the tags."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli.arguments import Browser, Live, PagePort
from ...cli.web import WORK, page_app, user_name
from ...domains import names_and_titles
from ...types import SasnetError, printable

if TYPE_CHECKING:
    from ...web.curves.bench import Bench
    from ..tagging.events import Log


def tag(
    folder: Annotated[Path, typer.Argument(help="Folder of images or curves, with its subfolders.")],
    database: Annotated[
        str,
        typer.Option(
            "--database",
            help="Database of the labels: a file, or a URL (postgresql+psycopg://…).",
        ),
    ] = "labels.sqlite",
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help=f"Kind of measurement, by default from the files: {names_and_titles()}."
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="Your name in the labels; you can change it on the page.")
    ] = None,
    models: Annotated[Path, typer.Option("--models", help="Folder for retrained models.")] = Path(
        "retrained"
    ),
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="File for thumbnails; default: in your cache folder."),
    ] = None,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="The labels in the database are of this folder, which has moved."),
    ] = False,
    live: Live = True,
    port: PagePort = 0,
    browser: Browser = True,
) -> None:
    """Tag images in the browser: filter, accept suggestions of a model, retrain on your labels.

    The page is for this machine only. Labels are saved at once, and files of the folder do not change. Ctrl-C
    ends it.
    """
    if not folder.is_dir():
        raise SasnetError(f"{folder}: is not a folder; name one with images or curves.")
    app = page_app()
    from ...domains import specification
    from ..tagging.events import Log
    from ..tagging.retraining import Retraining
    from ..tagging.tab import Tagging, kind_of
    from ..tagging.thumbnails import Thumbnails, cache_of
    from ..tagging.workspace import Workspace, name_given

    name = domain or kind_of(folder)
    specification(name)
    person = name_given(user or user_name(), "person")
    log = Log(database)
    log.claim(folder, too=moved or _confirm_folder(log, folder))
    thumbnails, dropped = Thumbnails(cache or cache_of(folder)), _dropped_folder(folder)
    without = dropped.parent if dropped else None
    workspace = Workspace(folder, name, log, thumbnails, live=live, without=without, dropped=dropped)
    retraining = Retraining(models, name, [workspace.folder, *([dropped] if dropped else [])])

    def ready(address: str) -> None:
        count = len(workspace.images)
        files = f"{count:,} file{'' if count == 1 else 's'}"
        typer.echo(f"{files} as {specification(name).title}; labels in {log.public_place}.")
        print(f"Tag them at {address} (Ctrl-C ends it).", flush=True)

    tagging = Tagging(workspace, retraining)
    tabs = app.Tabs(bench_of(folder, live=live), lambda _: tagging, folder, name, person)
    try:
        app.serve(tabs, port=port, browser=browser, path="tags", ready=ready)
    finally:
        tagging.close()


def _dropped_folder(folder: Path) -> Path | None:
    """Return where the tabs of files and images keep what is dropped; None if `folder` is a part of that."""
    work, here = WORK.resolve(), folder.resolve()
    return None if here.is_relative_to(work) else work / "dropped"


def bench_of(folder: Path, *, live: bool) -> Callable[[], Bench]:
    """Opens the tabs of curves and images on the same folder, when somebody looks at one of them."""

    def open_bench() -> Bench:
        from ...predict.predictor import available_cores
        from ...web.curves.bench import Bench

        return Bench(folder, WORK, available_cores(), live=live)

    return open_bench


def _confirm_folder(log: Log, folder: Path) -> bool:
    """Whether the user at the terminal says that another folder's labels are this one's."""
    if not sys.stdin.isatty() or log.database.belongs_to(folder):
        return False
    known_folder = printable(log.database.folders()[0])
    return typer.confirm(
        f"{log.public_place} holds labels of {known_folder}. Is {folder} the same folder, moved?"
    )
