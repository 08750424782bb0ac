"""What several commands read from their command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from sasnet_plugin import units
from sasnet_plugin.domains import names_and_titles
from sasnet_plugin.types import SasnetError

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Contrast, Method

#: Of what a network is trained, evaluated, or followed.
DomainName = Annotated[str, typer.Option("--domain", help=f"Kind of measurement: {names_and_titles()}.")]
#: Settings for reading images.
Geometry = Annotated[
    list[str] | None,
    typer.Option(
        "--geometry",
        metavar="NAME=VALUE",
        help="Images: what header and TOML file do not say, or say wrongly, such as alpha_i=0.2; repeat it.",
    ),
]
#: Where else than on this machine.
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Use the workers of this Dask scheduler, such as tcp://host:8786."),
]


def names_of(given: list[str] | None) -> list[str] | None:
    """Names from a repeated option, each of which may hold several, separated by commas."""
    names = [name.strip() for part in given or () for name in part.split(",") if name.strip()]
    return names if given else None


def unit_of(given: str | None) -> str | None:
    """The unit of q as given, or wrong usage."""
    if given is not None and units.canonical(given, "q") is None:
        raise typer.BadParameter(
            f"{given!r} is no unit of q; use A (for Å⁻¹) or nm (for nm⁻¹).", param_hint="--q-unit"
        )
    return given


def window_of(given: str | None) -> tuple[float, float] | None:
    """A q range, Å⁻¹, from ``a:b`` where either may be left out, or wrong usage."""
    if given is None:
        return None
    low, colon, high = given.partition(":")
    try:
        window = float(low or 0.0), float(high or math.inf)
    except ValueError:
        window = math.nan, math.nan
    if not colon or not 0 <= window[0] < window[1]:
        raise typer.BadParameter(
            f"{given!r} is no q range; write two numbers in Å⁻¹, the smaller first, such as 0.01:0.3.",
            param_hint="--q-range",
        )
    return window


def values_of(given: list[str] | None, option: str) -> dict[str, float]:
    """``name=number`` pairs, or wrong usage."""
    found = {}
    for part in given or ():
        name, equals, text = part.partition("=")
        try:
            found[name.strip()] = float(text)
        except ValueError:
            equals = ""
        if not equals or not name.strip() or not math.isfinite(found[name.strip()]):
            raise typer.BadParameter(f"{part!r} is not name=number, such as sld=4.0.", param_hint=option)
    return found


def ranges_of(given: list[str] | None, option: str) -> dict[str, tuple[float, float]]:
    """``name=low:high`` pairs, or wrong usage."""
    found = {}
    for part in given or ():
        name, _, text = part.partition("=")
        low, _, high = text.partition(":")
        try:
            pair = float(low), float(high)
        except ValueError:
            pair = math.nan, math.nan
        if not name.strip() or not pair[0] < pair[1]:
            raise typer.BadParameter(
                f"{part!r} is not name=low:high with the smaller number first, such as radius=10:200.",
                param_hint=option,
            )
        found[name.strip()] = pair
    return found


def contrast_given(
    sample: str | None, solvent: str | None, probe: str, wavelength: float | None
) -> Contrast | None:
    """Scattering length densities of sample and solvent, or wrong usage; None where neither is given."""
    from sasnet_plugin.fitting.problem.contrast import contrast_of
    from sasnet_plugin.fitting.task import PROBES

    if probe not in PROBES:
        raise typer.BadParameter(f"{probe!r} is no probe; use {' or '.join(PROBES)}.", param_hint="--probe")
    try:
        return contrast_of(sample, solvent, probe, wavelength)
    except SasnetError as error:
        raise typer.BadParameter(str(error), param_hint="--sample / --solvent") from None


def method_given(name: str, samples: int | None, burn: int | None) -> Method:
    """How the best fit is treated further, or wrong usage."""
    from sasnet_plugin.fitting.task import METHODS, Method

    if name not in METHODS:
        raise typer.BadParameter(f"{name!r} is no method; use {', '.join(METHODS)}.", param_hint="--method")
    if name != "dream" and (samples is not None or burn is not None):
        raise typer.BadParameter(
            "only dream draws samples; add --method dream.", param_hint="--samples / --burn"
        )
    usual = Method(name)
    return Method(name, usual.samples if samples is None else samples, usual.burn if burn is None else burn)
