"""``sasnet serve``: suggest and fit for another program, such as SasView, over stdin and stdout."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that fit.")] = 2,
) -> None:
    """Suggest and fit for another program: one JSON object a line, requests on stdin, events on stdout.

    Ends with the end of stdin. docs/serve.md describes the protocol.
    """
    from sasnet_plugin.integrations.serve import serve as serve_requests

    serve_requests(workers)
