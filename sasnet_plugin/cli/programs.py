"""Commands that open another program: ``sasnet web``, ``bumps``, ``sasview``, ``serve`` and ``mcp``."""

from __future__ import annotations

import getpass
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from ..batch.plan import Options
from ..data.limits import sentence_of
from ..extensions import has_service, service
from ..predict.predictor import available_cores
from ..types import Curve, SasnetError, describe_install
from ..wording import Surface, speak_to
from ..zoo import bank_path
from .arguments import Browser, Details, Force, Live, PagePort, Quiet
from .files import curves_of
from .fit_options import add_fit_options
from .progress import show_fit_progress

# --- ``sasnet mcp FOLDERS…``: the tools of sasnet for an assistant, by the Model Context Protocol.

#: Environment variable of a key that stays the same; without it each start makes its own.
_KEY = "SASNET_MCP_KEY"


def mcp(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders that the assistant may read and write.  [default: this one]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Answer on this port of this machine instead of stdio."
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that fit.")] = 2,
    allow_plugins: Annotated[
        bool,
        typer.Option("--allow-plugins", help="Run plugin models (Python code) that lie in the folders."),
    ] = False,
) -> None:
    """Let an assistant read, classify and fit scattering data by the Model Context Protocol.

    It runs on stdio, as assistants start it; with --port by HTTP for everyone with the printed key. Nothing
    outside of the folders is read, written or run. Plugin models inside run only with --allow-plugins.
    """
    try:
        import mcp as _
    except ImportError:
        raise SasnetError(
            f"'sasnet mcp' needs packages that are not installed; run {describe_install('mcp')}"
        ) from None
    del _
    from ..integrations.assistant.folders import open_folders
    from ..integrations.assistant.server import serve_port, serve_stdio

    allowed = open_folders(folders or [Path.cwd()], plugins=allow_plugins)
    if port is None:
        if sys.stdin.isatty():
            typer.echo(
                "Waiting for an AI assistant. Such programs start this command themselves; Ctrl-C ends it.",
                err=True,
            )
        serve_stdio(allowed, workers)
        return
    key = _key()
    text = f"http://127.0.0.1:{port}/mcp with the header 'Authorization: Bearer {key}'"
    serve_port(allowed, workers, "127.0.0.1", port, key, lambda: typer.echo(text, err=True))


def _key() -> str:
    """The user's key, or a new one; raises a SasnetError where the user's cannot be sent."""
    import secrets

    key = os.environ.get(_KEY) or secrets.token_urlsafe(24)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SasnetError(
            f"{_KEY} contains characters that are not allowed in an HTTP header; use letters and digits."
        )
    return key


# --- ``sasnet sasview``, SasView with Fitting -> Suggest model…; ``sasnet serve``, its partner
# --- process.


def sasview(
    files: Annotated[list[str] | None, typer.Argument(help="Data files to load.")] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Add the menu entry to SasView permanently.")
    ] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Remove what --install has written.")
    ] = False,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="PATH", help="The Python that has SasView.  [default: this one]"),
    ] = None,
    plugins: Annotated[
        Path | None,
        typer.Option(
            "--plugins", metavar="FOLDER", help="SasView's folder of plugin models, if not the usual one."
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Start SasView 6 with Fitting -> Suggest model… in its menu, or install that menu entry.

    Nothing is installed into SasView's own Python. This sasnet suggests and fits models in its own process.
    """
    _check_alone(install, uninstall, files, python)

    from ..integrations.sasview import install as dropin

    if install:
        found = dropin.is_sasview_here(plugins)
        written = dropin.install(plugins, force=force)
        if found:
            print(f"Written: {written}; SasView has Fitting -> Suggest model… from its next start.")
        else:
            print(f"Written: {written}")
            print("No SasView was found on this machine. Install SasView 6.1 or 6.2, then start it.")
    elif uninstall:
        _uninstall(plugins)
    else:
        raise typer.Exit(dropin.start_sasview(files or [], python))


def _check_alone(install: bool, uninstall: bool, files: list[str] | None, python: str | None) -> None:
    asked_count = [install, uninstall].count(True)
    if asked_count == 2:
        raise typer.BadParameter("choose one of them.", param_hint="--install / --uninstall")
    if asked_count and (files or python):
        raise typer.BadParameter(
            "does not start SasView; do not give FILES or --python.", param_hint="--install"
        )


def _uninstall(plugins: Path | None) -> None:
    from ..integrations.sasview import install as dropin
    from ..simulate.compile_cache import remove_compiled

    removed, compiled = [str(path) for path in dropin.uninstall(plugins)], remove_compiled()
    # SasView compiles beside its plugin models, and so does what it starts.
    compiled_folder = (plugins or dropin.plugin_folder()).parent / "compiled_models"
    compiled += remove_compiled(compiled_folder) if compiled_folder.is_dir() else []
    if compiled:
        removed.append(f"{len(compiled)} files of compiled models in {compiled[0].parent}")
    print(f"Removed: {', '.join(removed)}" if removed else "There was nothing to remove.")


def serve(
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that fit.")] = 2,
) -> None:
    """Answer another program: one JSON object a line, requests on stdin, events on stdout.

    It ends with the end of stdin. docs/serve.md describes the protocol.
    """
    from ..service.fits import serve as serve_requests

    serve_requests(workers)


# --- ``sasnet web [FOLDER]``: curves and images in the browser: what they are, and fits of them.

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
    from ..web.curves.bench import Bench

    speak_to(Surface.PAGE)  # files are read before the first page is asked for
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
        (
            lambda kind: service("open_tags")(
                images,
                kind,
                bench.work,
                dropped,
                live=live,
                geometry=bench.shelf.geometry_of,
                kind_of=bench.shelf.kind_of,
            )
        )
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


# --- ``sasnet bumps DATA``: fit the models that may explain these data, and go on in Bumps' web
# --- page.


@add_fit_options()
def bumps(
    data: Annotated[str, typer.Argument(help="Data file.")],
    options: Options,
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, help="Port of the page; 0 takes 5148, or a free one if that is taken."
        ),
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in your browser.")
    ] = True,
    details: Details = False,
    quiet: Quiet = False,
) -> None:
    """Fit a curve as `sasnet fit` does, then continue in Bumps' web page.

    The best model is the problem. All fits are in the History tab, and the ranking is in the Custom tab.
    Ctrl-C ends it.
    """
    from ..data import load
    from ..fitting.api import fit_with
    from ..fitting.asked import check_names
    from ..fitting.pool import Workers
    from ..fitting.progress import Watched
    from ..integrations.bumps import show
    from ..web.access import listening
    from .fit import print_result

    # Better said before the fits than after them.
    for package in ("aiohttp", "plotly"):
        if find_spec(package) is None:
            raise SasnetError(
                f"Bumps' page needs {package}, which is not installed; run {describe_install('bumps')}"
            )
    if port:
        listening(port).close()
    check_names(options.fit)

    def read(path: str) -> tuple[Curve, ...]:
        return load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)

    curve = one(data, list(curves_of(data, read, options.window)))
    limit = options.fit.time_limit
    with Workers(bank_path(), options.fit.workers) as pool, show_fit_progress(limit, quiet) as progress:
        result = fit_with(Watched(pool, progress), curve, options.fit)
    print_result(result, quiet=quiet, details=details, titled=False)
    if result.best is None:
        raise SasnetError(f"{data}: no model could be fitted, so there is nothing to show in Bumps.")

    def ready(address: str) -> None:
        print(f"Bumps shows these fits at {address} (Ctrl-C ends it).", flush=True)

    show(result, port=port, browser=browser, workers=options.fit.workers, ready=ready)


def one(data: str, outcomes: list[tuple[str, Curve | Exception]]) -> Curve:
    curves: list[Curve] = []
    for _, outcome in outcomes:
        if not isinstance(outcome, Curve):
            raise SasnetError(sentence_of(data, outcome)) from outcome
        curves.append(outcome)
    if len(curves) != 1:
        entries = ", ".join(curve.entry for curve in curves)
        raise SasnetError(f"{data}: holds {len(curves)} data sets ({entries}); choose one with --entry.")
    return curves[0]
