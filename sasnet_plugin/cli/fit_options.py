"""The options of a fit on the command line, made from the request that all surfaces share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import typer

from ..batch.plan import Options
from ..fitting.request import OPTIONS, REFINING, replace_parameter
from ..types import SasnetError
from .arguments import make_parameter, read_request

Files = Annotated[list[str], typer.Argument(help="Data files, folders (with subfolders) or patterns.")]
Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def add_fit_options(*, without: Collection[str] = REFINING, time_limit: float | None = None) -> Decorator:
    """Give a command the options of a fit, but those `without`, in place of its parameter ``options``;
    `time_limit` is its default where it differs.
    """

    def make(**texts: Any) -> Options:
        try:
            return Options.of(read_request(texts))
        except SasnetError as error:
            raise typer.BadParameter(str(error)) from None

    parameters = {
        about.name: make_parameter(about) for about in OPTIONS.values() if about.name not in without
    }
    if time_limit is not None:
        parameters["time_limit"] = parameters["time_limit"].replace(default=time_limit)
    return replace_parameter("options", make, parameters)


def also_given(options: Mapping[str, object]) -> dict[str, str]:
    """Collect options that do not influence the fit, for the next command; None, False and empty lists are
    dropped, lists become repeated options.
    """
    texts = {}
    for name, value in options.items():
        if value in (None, False, []):
            continue
        texts[name] = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return texts
