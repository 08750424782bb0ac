"""``sasnet web [FOLDER]``: curves and images in the browser: what they are, and fits of them."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from ..extensions import has_service, service
from ..types import SasnetError, describe_install
from .arguments import Browser, Live, PagePort

#: Where `sasnet web` keeps what is done, by default.
WORK = Path("sasnet-web")


def web(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of measurements, with its subfolders; without it, drop files on the page."
        ),
    ] = None,
    work: Annotated[Path, typer.Option("--work", help="Folder for dropped files, fits and reports.")] = WORK,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Number of processes that fit; default: all cores."),
    ] = None,
    live: Live = True,
    port: PagePort = 0,
    browser: Browser = True,
    show: Annotated[str, typer.Option("--show", help="The file of FOLDER to show first.")] = "",
) -> None:
    """Classify and fit curves and images in the browser: drop files, move sliders, fit, save the report.

    The page is for this machine only, and nothing leaves it. Files of the folder do not change. Your work is
    saved at once in the work folder. Ctrl-C ends it.
    """
    _check(folder, show)
    app = page_app()
    from ..predict.predictor import available_cores
    from ..web.curves.bench import Bench

    bench = Bench(folder, work, workers or available_cores(), live=live)

    def ready(address: str) -> None:
        number = len(bench.shelf.rows())
        typer.echo(
            f"{number:,} file{'' if number == 1 else 's'}; fits and settings are saved in {bench.work}."
        )
        print(f"Open {address} (Ctrl-C ends it).", flush=True)

    fragment = f"#show?{urlencode({'key': f'folder:{show}#1'})}" if show else ""
    images = bench.folder or bench.dropped
    dropped = bench.dropped if folder else None
    tabs = app.Tabs(
        lambda: bench,
        (lambda kind: service("open_tags")(images, kind, bench.work, dropped, live=live))
        if has_service("open_tags")
        else None,
        images,
        user=user_name(),
    )
    try:
        app.serve(tabs, port=port, browser=browser, fragment=fragment, ready=ready)
    finally:
        bench.close()


def _check(folder: Path | None, show: str) -> None:
    """Check the folder and the file shown first, if given. Raises SasnetError if one is missing."""
    if folder is None:
        if show:
            raise SasnetError(
                f"--show {show}: name its folder as well, as in sasnet web FOLDER --show {show}."
            )
        return
    if not folder.is_dir():
        raise SasnetError(f"{folder}: is not a folder; name a folder with measurements, or none.")
    if show and not (folder / show).is_file():
        raise SasnetError(f"{show}: is not a file in {folder}; name one of its files with --show.")


def page_app() -> Any:
    """Import the page's server; SasnetError if its packages are not installed."""
    try:
        from ..web import app
    except ImportError as error:
        raise SasnetError(
            f"The page needs {error.name}, which is not installed; run {describe_install('web')}"
        ) from None
    return app


def user_name() -> str:
    """Name of the user who started the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a container
        return "somebody"
