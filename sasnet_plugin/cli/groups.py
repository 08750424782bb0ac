"""``sasnet groups``: which models are rarely told apart, as a list and as a dendrogram."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def groups(
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the dendrogram into this file (SVG or PNG).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per group.")] = False,
) -> None:
    """Print the groups of models that data rarely tell apart; draw their dendrogram."""
    import json

    from sasnet_plugin.types import SasnetError
    from sasnet_plugin.zoo import open_model

    manifest = open_model().manifest
    for group in manifest.groups:
        if as_json:
            typer.echo(json.dumps({"name": group.name, "members": list(group.members)}))
        else:
            typer.echo(f"{group.name}: {', '.join(group.members)}")
    if plot is not None:
        from sasnet_plugin.report.dendrogram import draw_dendrogram

        if plot.suffix.lower() not in (".svg", ".png"):
            raise typer.BadParameter(f"{plot}: end the name in .svg or .png.", param_hint="--plot")
        try:
            draw_dendrogram(manifest, plot)
        except OSError as error:
            raise SasnetError(
                f"{plot}: cannot be written ({error.strerror}); choose another place."
            ) from None
