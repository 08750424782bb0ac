"""``sasnet fit FILES…``: fit the models that may explain these data, rank and verify them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..batch.plan import Options
from ..domains import names_and_titles
from .arguments import (
    Details,
    Force,
    Geometry,
    Given,
    Kind,
    Own,
    Plot,
    Quiet,
    SampleFile,
    Share,
    Table,
    Tie,
    Together,
)
from .fits.options import Files, add_fit_options, also_given
from .fits.outputs import Outputs
from .fits.printed import Say
from .fits.run import Reading, Run
from .interrupt import Ending
from .streams import json_lines


@add_fit_options(time_limit=90.0, methods=True)
def fit(
    files: Files,
    options: Options,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line and data set.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for an HTML page of each data set.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", help="Folder for files of other programs: SasView project, Bumps session, NXcanSAS…"
        ),
    ] = None,
    plot: Plot = None,
    table: Table = None,
    details: Details = False,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help=f"Kind of measurement, if the file does not give it: {names_and_titles()}."
        ),
    ] = None,
    geometry: Geometry = None,
    together: Together = False,
    sample_file: SampleFile = None,
    kind: Kind = None,
    share: Share = None,
    own: Own = None,
    tie: Tie = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Find, fit and check the models of a small-angle-scattering curve.

    The answer has up to three lines: the best fit, the most important caution, and the next command. A@B
    means form factor A with structure factor B; A+B is a sum of two models.

    An isotropic image is averaged and fitted as a curve. To an oriented image, cylinders and ellipsoids with
    a distribution of axes are fitted.

    Ctrl-C ends with the fits so far of the present file, and skips the others; a second Ctrl-C ends at once.

    Exit code 0: every file has an answer; 1: some have not, each with a sentence; 2: wrong usage; 130: ended
    by Ctrl-C.
    """
    start_time = time.monotonic()

    from ..fitting.asked import check_names
    from ..fitting.pool import Workers
    from ..zoo import bank_path
    from .files import many

    outputs = Outputs(report, export, plot, table, force, details)
    outputs.check()
    of_sample = Given(sample_file, kind, share, own, tie)
    of_sample.check(together)
    more_options = {"--domain": domain, "--geometry": geometry, **outputs.options()}
    more_options |= of_sample.options()
    fit_options = replace(options.fit, also=options.fit.also | also_given(more_options))
    say = Say(json_lines() if as_json else None, quiet, details, many(files) or bool(files[1:]))
    reading = Reading(domain, options, tuple(geometry or ()))
    ending = Ending()
    # The processes start while the files are read and classified.
    with Workers(bank_path(), options.fit.workers, ended=ending) as pool:
        check_names(options.fit)
        run = Run(pool, ending, fit_options, reading, outputs, say)
        failed = run.together(files, of_sample) if together else run.each(files, start_time)
    if ending():
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)
