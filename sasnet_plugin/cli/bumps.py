"""``sasnet bumps DATA``: fit the models that may explain these data, and go on in Bumps' web page."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from ..batch.plan import Options
from ..data.failure import sentence_of
from ..types import Curve, SasnetError, describe_install
from .arguments import Details, Quiet
from .files import curves_of
from .fits.options import add_fit_options
from .progress import show_fit_progress


@add_fit_options(time_limit=90.0)
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
    from ..zoo import bank_path
    from .fits.printed import print_result

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
