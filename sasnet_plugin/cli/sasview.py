"""``sasnet sasview``, SasView with Fitting -> Suggest model…; ``sasnet serve``, its partner process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import Force


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
        written = dropin.install(plugins, force=force)
        print(f"Written: {written}; SasView has Fitting -> Suggest model… from its next start.")
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
    from ..service.serve import serve as serve_requests

    serve_requests(workers)
