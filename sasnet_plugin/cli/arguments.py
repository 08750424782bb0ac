"""What several commands read from their command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.sample.sample import KINDS, SECTORS
from ..domains import names_and_titles
from ..fitting.request import OPTIONS, FileRequest, Option, replace_parameter, split_names
from ..types import SasnetError

if TYPE_CHECKING:
    from ..data.sample.described import Described

#: Of what a network is trained, evaluated, or followed.
DomainName = Annotated[str, typer.Option("--domain", help=f"Kind of measurement: {names_and_titles()}.")]
#: What is written besides the answer: the same for classify, fit, bumps and batch.
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", help="Draw data and answers into this file (PNG, PDF, SVG); many curves become one sheet."
    ),
]
Table = Annotated[
    Path | None, typer.Option("--csv", help="Also write a line for each data set into this CSV file.")
]
#: Of a fit, what is printed.
Details = Annotated[
    bool,
    typer.Option(
        "--details",
        help="Print everything: all fits, parameters, warnings and notes; pages also get the tree of models.",
    ),
]
#: Settings for reading images.
Geometry = Annotated[
    list[str] | None,
    typer.Option(
        "--geometry",
        metavar="NAME=VALUE",
        help="Images: override header and TOML file, such as alpha_i=0.2; repeatable.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that sasnet has not written.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only the first line of each answer, and no progress.")
]
#: Where else than on this machine.
TiledKey = Annotated[
    str | None,
    typer.Option(
        "--tiled-key",
        metavar="KEY",
        envvar="TILED_API_KEY",
        show_envvar=True,
        show_default=False,
        help="API key of the Tiled server.",
    ),
]
#: Of a page in the browser.
Live = Annotated[bool, typer.Option("--live/--once", help="Show files that arrive later.")]
PagePort = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port of the page; 0 takes a free one.")
]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in your browser.")]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Use the workers of this Dask scheduler, such as tcp://host:8786."),
]


def as_given(options: Mapping[str, object]) -> list[str]:
    """Options as a command line has them, for a next command; None and empty ones are left out."""
    words = []
    for name, value in options.items():
        text = ",".join(value) if isinstance(value, list) else "" if value is None else str(value)
        words += [name, text] if text else []
    return words


def add_request(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options of a fit in place of its parameter ``request``."""
    return replace_parameter(
        "request",
        lambda **texts: read_request(texts),
        {name: make_parameter(OPTIONS[name]) for name in names},
    )


def make_parameter(about: Option) -> inspect.Parameter:
    kind = about.kind
    option = typer.Option(
        about.spelling, help=about.help_text, metavar=about.metavar or None, min=kind.least, max=kind.most,
        rich_help_panel=about.group,
    )  # fmt: skip
    has_value = isinstance(about.default, (str, int, float))
    taken = list[str] if kind.command is list else kind.command
    return inspect.Parameter(
        about.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=about.default if has_value else None,
        annotation=Annotated[taken if has_value else taken | None, option],
    )


def read_request(texts: dict[str, Any]) -> FileRequest:
    """The request of what a command line has, or wrong usage."""
    values = {}
    for name, text in texts.items():
        about = OPTIONS[name]
        try:
            values[name] = about.parse(text)
        except SasnetError as error:
            raise typer.BadParameter(str(error), param_hint=about.spelling) from None
    try:
        return FileRequest(**values)
    except SasnetError as error:
        raise typer.BadParameter(str(error)) from None


Together = Annotated[
    bool,
    typer.Option(
        "--together",
        help=(
            "All files are curves of one sample (solvents, settings, probes, concentrations): give one"
            " answer."
        ),
    ),
]


def _expression(text: str | None) -> str | None:
    if text is not None:
        from ..batch.plan import compile_pattern

        try:
            compile_pattern(text)
        except SasnetError as error:
            raise typer.BadParameter(str(error)) from None
    return text


TogetherBy = Annotated[
    str | None,
    typer.Option(
        "--together-by",
        metavar="REGEX",
        callback=_expression,
        help=(
            "Regular expression: files with the same matches of its groups are curves of one sample, in one"
            " row."
        ),
    ),
]


@dataclass(frozen=True)
class Given:
    """What is said of a sample on the command line."""

    sample_file: Annotated[
        Path | None,
        typer.Option(
            "--sample-file",
            help="With --together: TOML file with [solvents], [concentrations], [tie]…",
        ),
    ] = None
    kind: Annotated[
        str | None,
        typer.Option("--kind", help=f"Of curves of one sample: what they are: {', '.join(KINDS)}."),
    ] = None
    share: Annotated[
        list[str] | None,
        typer.Option("--share", metavar="NAME", help="With --together: all curves share these parameters."),
    ] = None
    own: Annotated[
        list[str] | None,
        typer.Option(
            "--own", metavar="NAME", help="With --together: each curve has its own value of these parameters."
        ),
    ] = None
    tie: Annotated[
        list[str] | None,
        typer.Option(
            "--tie",
            metavar="EXPRESSION",
            help=(
                "With --together: calculate a parameter from others, such as 'sld_solvent = -0.56 + 6.92*x'."
            ),
        ),
    ] = None
    sectors: Annotated[
        str | None,
        typer.Option(
            "--sectors",
            metavar="AZIMUTH:HALF_WIDTH,…",
            help="With --together: sector of each curve in degrees from qx, such as 0:15,90:15.",
        ),
    ] = None
    field: Annotated[
        float | None,
        typer.Option(
            "--field",
            metavar="DEGREES",
            help="With --together: azimuth of a saturating magnetic field; separates magnetic scattering.",
        ),
    ] = None
    spins: Annotated[
        str | None,
        typer.Option(
            "--spins",
            metavar="STATE,…",
            help="With --field: spin state of each curve: + or -, with an analyser ++, +-, -+ or --.",
        ),
    ] = None
    polarisation: Annotated[
        str | None,
        typer.Option(
            "--polarisation",
            metavar="POLARISER:FLIPPER:…",
            help="With --spins: efficiencies, also of an analyser and its flipper, such as 0.95:0.98.",
        ),
    ] = None

    def check(self, together: bool, option: str = "--together") -> None:
        """Check that options for curves of one sample have such curves, and that the kind is known."""
        if not together and any(value not in (None, []) for value in vars(self).values()):
            raise typer.BadParameter(
                f"these options are for several curves of one sample; add {option}.",
                param_hint="--sample-file / --kind / --share / --own / --tie / --sectors / --field / --spins",
            )
        if self.kind is not None and self.kind not in KINDS:
            raise typer.BadParameter(f"{self.kind!r} is not one of {', '.join(KINDS)}.", param_hint="--kind")

    def options(self) -> dict[str, object]:
        return {
            "--sample-file": self.sample_file, "--kind": self.kind, "--share": split_names(self.share),
            "--own": split_names(self.own), "--tie": self.tie, "--sectors": self.sectors,
            "--field": None if self.field is None else f"{self.field:g}", "--spins": self.spins,
            "--polarisation": self.polarisation,
        }  # fmt: skip

    def describe_sample(self) -> Described:
        """Read the sample file. Raises SasnetError if it is missing or no TOML."""
        from ..data.sample.described import Described, polarisation_of, read_description, split_entries

        sections = {} if self.sample_file is None else read_description(self.sample_file)
        if self.kind is not None:
            sections["kind"] = self.kind
        if self.sectors is not None:
            sections |= {"kind": SECTORS, "sectors": split_entries(self.sectors)}
        if self.spins is not None:
            sections["spins"] = split_entries(self.spins)
        if self.polarisation is not None:
            sections["polarisation"] = polarisation_of(self.polarisation)
        if self.field is not None:
            sections["field"] = self.field
        share, own_names = (tuple(split_names(names) or ()) for names in (self.share, self.own))
        return Described(
            sections, share, own_names, tuple(self.tie or ()), str(self.sample_file or "the sample")
        )


NO_SAMPLE = Given()


def add_sample_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `Given`, but those `without`, in place of its parameter ``of_sample``."""
    options = inspect.signature(Given, eval_str=True).parameters
    return replace_parameter(
        "of_sample", Given, {name: p for name, p in options.items() if name not in without}
    )
