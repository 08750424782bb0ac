"""``sasnet follow FILES…``: a series of frames, its quantities against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..domains import DEFAULT, PAGES, Domain, ReadOptions, recognise_domain, specification
from ..domains.heads import Parameter, Quantities
from ..extensions import has_service, service
from ..names import is_tiled
from ..types import DataError, SasnetError
from .arguments import Force, Geometry, QRange, QUnit, Scheduler, TiledKey, Wavelength, window_of
from .following.curves import Asked, add_curves, follow_curves
from .following.tiled import WriteBack, follow_tiled


def numbers_of(domain: Domain) -> tuple[Parameter, ...]:
    """The numbers of a domain that can be followed: those with an uncertainty."""
    heads = (head for head in domain.heads if isinstance(head, Quantities) and head.interval)
    return tuple(parameter for head in heads for parameter in head.parameters)


#: Domains whose numbers can be followed; by default the one whose numbers have bands.
_WITH_NUMBERS = [found for found in map(specification, PAGES) if numbers_of(found)]
FOLLOWED = next(
    (found for found in _WITH_NUMBERS for head in found.heads
     if isinstance(head, Quantities) and head.interval == "band"),
    specification(DEFAULT),
)  # fmt: skip


def follow(
    files: Annotated[
        list[str],
        typer.Argument(
            help=(
                "Files with one frame or many, folders or patterns, in the order of time; or an address"
                " tiled:http://HOST:PORT/PATH."
            )
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="CSV table to write, a line for each frame.")],
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            help="Kind of measurement, one with numbers:"
            f" {' or '.join(found.name for found in _WITH_NUMBERS)}, or {DEFAULT} for curves; default: curves"
            f" where the first file holds them, else {FOLLOWED.name}.",
        ),
    ] = None,
    geometry: Geometry = None,
    plot: Annotated[
        str | None, typer.Option("--plot", help="Draw the quantities against time into this file (PNG).")
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option("--interval", help="Seconds between two frames; default: the time axis counts frames."),
    ] = None,
    next_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--next",
            metavar="NAME=VALUE,…",
            help=(
                "SANS: a setting that could follow, such as distance=2000,collimation=2800 (mm); repeatable."
                " Prints the expected information of each."
            ),
        ),
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            metavar="FILE",
            help=(
                "SANS: an earlier image of the same sample in another setting; repeatable. The answer"
                " combines all settings."
            ),
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Curves: wait for more until Ctrl-C; the same command resumes.")
    ] = False,
    quiet_for: Annotated[
        float | None,
        typer.Option(
            "--quiet-for", metavar="S", help="With --watch: end after so many seconds without data."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help=(
                "Curves: fit this model to each, such as sphere@hardsphere (A@B: form factor A with structure"
                " factor B)."
            ),
        ),
    ] = None,
    hdf5: Annotated[
        Path | None, typer.Option("--hdf5", help="Curves: also write the table as HDF5, renewed as it grows.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Curves: an HTML page of the series that renews itself."),
    ] = None,
    add: Annotated[
        bool,
        typer.Option(
            "--add", help="Curves of one sample: add them up, and say when the answer has converged."
        ),
    ] = False,
    write_back: Annotated[
        WriteBack | None,
        typer.Option(
            "--write-back",
            help="Tiled: write answers into the metadata of their entries, or as a table next to them.",
        ),
    ] = None,
    tiled_key: TiledKey = None,
    q_range: QRange = None,
    q_unit: QUnit = None,
    wavelength: Wavelength = None,
    scheduler: Scheduler = None,
    force: Force = False,
) -> None:
    """Answer curves or images as they are measured, one line each, in constant memory.

    Of curves, the table also says where the series changes. The same command again continues after the last
    line. SANS frames of one sample are added up, with probabilities against counts and a sign when the answer
    has converged.

    Exit code 0: every frame has an answer; 1: some have not, and their lines say why; 2: wrong usage.
    """
    _check_seconds(interval, quiet_for, watch)
    only_curves = {
        "--watch": watch, "--model": model, "--hdf5": hdf5, "--page": page, "--q-range": q_range, "--add": add
    }  # fmt: skip
    figure, window = None if plot is None else Path(plot), window_of(q_range)
    request = Asked(
        files, out, figure, page, hdf5, interval, model, watch, quiet_for, window, add, force, scheduler
    )
    if any(map(is_tiled, files)):
        only_files = {"--next": next_settings, "--before": before, "--add": add, "--scheduler": scheduler}
        _refuse(only_files, "files")
        reading = ReadOptions(q_unit=q_unit, wavelength=wavelength, geometry=tuple(geometry or ()))
        follow_tiled(request, reading, domain, tiled_key, write_back)
        return
    _refuse({"--write-back": write_back}, "addresses tiled:…")
    if not _is_curve_series(domain, _first(files, watch)):
        _refuse(only_curves, "curves")
        found_specification = specification(domain) if domain else FOLLOWED
        service("follow")(
            numbers_of(found_specification), files, out, found_specification, tuple(geometry or ()), plot,
            interval, next_settings or (),
            before or (), force, scheduler,
        )  # fmt: skip
        return
    _refuse({"--geometry": geometry, "--next": next_settings, "--before": before}, "images")
    if add:
        not_added = {
            "--model": model,
            "--hdf5": hdf5,
            "--page": page,
            "--plot": plot,
            "--scheduler": scheduler,
        }
        _refuse(not_added, "series without --add")
    (add_curves if add else follow_curves)(request, ReadOptions(q_unit=q_unit, wavelength=wavelength))


def _check_seconds(interval: float | None, quiet_for: float | None, watch: bool) -> None:
    if interval is not None and not 0 < interval < float("inf"):
        raise typer.BadParameter(
            f"{interval:g} is not a time; give seconds above 0.", param_hint="--interval"
        )
    if quiet_for is not None and not (watch and quiet_for > 0):
        raise typer.BadParameter("needs --watch and a number of seconds above 0.", param_hint="--quiet-for")


def _refuse(options: Mapping[str, object], kind: str) -> None:
    for name, value in options.items():
        if value:
            raise typer.BadParameter(f"is for {kind}; leave it out.", param_hint=name)


def _first(files: Sequence[str], watch: bool) -> Path | None:
    """Find the first file; None while waiting for one, else SasnetError."""
    from .files import expand

    missing: list[SasnetError] = []
    for path in expand(files, said=lambda _: None):
        if isinstance(path, SasnetError):
            missing.append(path)
        elif not Path(path).is_file():
            missing.append(DataError(f"{path}: there is no such file or folder; check the path."))
        elif not path.endswith(".toml"):
            return Path(path)
    if watch:
        return None
    raise next(iter(missing), DataError(f"{files[0]}: holds no measurements; check the path."))


def _is_curve_series(domain: str | None, first: Path | None) -> bool:
    """Whether a series is one of curves: by what is said, else by its first file."""
    # Before there is one only curves can be watched.
    if domain is not None:
        return specification(domain).name == DEFAULT
    if first is None:
        return True
    if recognise_domain(first) != DEFAULT:
        return False
    from ..data.frames import holds_curves

    return (
        not has_service("may_hold_images")
        or holds_curves(str(first))
        or not service("may_hold_images")(first)
    )
