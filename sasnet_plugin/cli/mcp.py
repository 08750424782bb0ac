"""``sasnet mcp FOLDERS…``: the tools of sasnet for an assistant, by the Model Context Protocol."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..types import SasnetError, describe_install

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
                "Waiting for an assistant. Assistants start this command themselves; Ctrl-C ends it.",
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
            f"{_KEY} contains characters that are not allowed in a header; use letters and digits."
        )
    return key
