"""The command ``sasnet``: a table of commands, each imported only when it is called for; and its help.

Every command is a function of a module of this folder; its signature holds its options (typer), and its heavy
imports are inside the function. To add a command, write the function and add its line to COMMANDS.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import sasnet_plugin

from ..extensions import load, merge_tables
from ..files import read_text
from ..types import SasnetError
from ..wording import SURFACE, Surface, speak_to
from ..workers.child import safe_environment
from . import sentences
from .streams import prepare

# --- Options by their former names: they work until the next release, with a note on stderr.

#: Former name -> present name. An option is renamed only where the command has the present name alone.
OLD_OPTIONS: Mapping[str, str] = MappingProxyType(
    {"--fix": "--fixed", "--range": "--ranges", "--figure": "--plot", "--fit": "--model"}
)


def rename_options(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Replace former names of a command's options, each with a note; what follows ``--`` stays."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(_renamed(argument, options) for argument in arguments[:end]), *arguments[end:]]


def _renamed(argument: str, options: Collection[str]) -> str:
    old, equals, value = argument.partition("=")
    new = OLD_OPTIONS.get(old)
    if new is None or old in options or new not in options:
        return argument
    typer.echo(f"sasnet: {sentences.RENAMED_OPTION(old=old, new=new)}", err=True)
    return f"{new}{equals}{value}"


# --- How a command explains itself: options in groups, three examples, whole sentences.

#: Options by what they are about, in the order of the help, after those of a fit (`fitting.request`), which
#: have their group with them. What is not here stands under "Options".
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "What is read": (
            "test", "domain", "geometry", "together", "together_by", "sample_file", "kind",
        ),
        "Which models": (),
        "What is known": ("share", "own", "tie", "concentration", "absolute", "monomer", "sequence"),
        "How it is fitted": ("verify",),
        "Where it runs": ("scheduler", "shard"),
        "What is written": (
            "out", "as_json", "details", "table", "plot", "report", "export", "card", "figure", "quiet",
            "force",
        ),
    }
)  # fmt: skip
#: Commands by what they are for, in the order of ``sasnet -h``.
COMMAND_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "One sample": ("fit", "classify", "next", "protein"),
        "Many files": ("batch", "follow", "sort"),
        "In the browser": ("web", "tag"),
        "In other programs": ("sasview", "bumps", "mcp", "serve"),
        "Train networks": ("simulate", "train", "evaluate", "groups"),
    }
)


@cache
def read_examples() -> dict[str, list[tuple[str, str]]]:
    """Return three calls of each command, each with what it is for."""
    return tomllib.loads(read_text(__file__, "examples.toml"))


class Explained(TyperCommand):
    """A command whose help has groups and examples."""

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write arguments, then options in their groups."""
        params = list(self.get_params(ctx))
        title_of = {name: title for title, names in GROUPS.items() for name in names}
        place_of = {name: place for place, name in enumerate(title_of)}
        sections: dict[str, list[Any]] = {"Arguments": [], **{title: [] for title in GROUPS}, "Options": []}
        for param in sorted(params, key=lambda param: place_of.get(param.name, 0)):
            argument = param.param_type_name == "argument"
            group = getattr(param, "rich_help_panel", None) or title_of.get(param.name, "Options")
            title = "Arguments" if argument else group
            sections[title].append(param.get_help_record(ctx))
        for title, records in sections.items():
            if rows := list(filter(None, records)):
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the examples, none of which is broken into lines."""
        examples = read_examples().get(str(self.name), ())
        if examples:
            with formatter.section("Examples"):
                for call, explanation in examples:
                    formatter.write(f"  {call}\n      {explanation}\n")


def whole_sentences(group: Any, ctx: typer.Context, formatter: Any) -> None:
    """Write the commands of a group in sections, each with its first sentence, none cut."""
    listed = group.list_commands(ctx)
    width = max(map(len, listed))
    added = tuple(name for name in listed if name not in _ORDER)
    for title, group_names in {
        **COMMAND_GROUPS,
        **({"Added by other packages": added} if added else {}),
    }.items():
        names = [name for name in group_names if name in listed]
        with formatter.section(title):
            formatter.write_dl(
                [(name.ljust(width), _first_sentence(group.get_command(ctx, name))) for name in names]
            )


def _first_sentence(command: Any) -> str:
    return " ".join((command.help or "").strip().partition("\n\n")[0].split())


# --- The command ``sasnet``: a table of commands, each imported only when it is called for.

_PLACES = {
    **merge_tables("COMMANDS"),
    "fit": "sasnet_plugin.cli.fit:fit",
    "classify": "sasnet_plugin.cli.classify:classify",
    "next": "sasnet_plugin.cli.next:next_",
    "protein": "sasnet_plugin.cli.protein:protein",
    "batch": "sasnet_plugin.cli.batch:batch",
    "follow": "sasnet_plugin.cli.follow:follow",
    "web": "sasnet_plugin.cli.programs:web",
    "sasview": "sasnet_plugin.cli.programs:sasview",
    "bumps": "sasnet_plugin.cli.programs:bumps",
    "mcp": "sasnet_plugin.cli.programs:mcp",
    "serve": "sasnet_plugin.cli.programs:serve",
    "simulate": "sasnet_plugin.cli.simulate:simulate",
    "train": "sasnet_plugin.cli.train:train",
    "evaluate": "sasnet_plugin.cli.evaluate:evaluate",
    "groups": "sasnet_plugin.cli.evaluate:groups",
}
_ORDER = [name for names in COMMAND_GROUPS.values() for name in names]
#: Command -> "module:function", in the order of the help.
COMMANDS = {name: _PLACES[name] for name in (*_ORDER, *_PLACES) if name in _PLACES}


#: `-h` helps as `--help` does.
_SETTINGS = {"help_option_names": ["-h", "--help"]}


class Command(Explained):
    """A command as it is run: garbage is collected again, and Ctrl-C is heard."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the command line, with former names of options."""
        options = {name for param in self.params for name in param.opts}
        return super().parse_args(ctx, rename_options(args, options))

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run it; garbage is collected from here on, among what is made from here on (see `__main__`)."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        previous = signal.getsignal(signal.SIGINT)
        if getattr(previous, "__module__", "") not in ("__main__", "sasnet_plugin.__main__"):
            return super().invoke(ctx)  # called from a program that has its own way with signals
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        finally:
            sys.stdout.flush()
            signal.signal(signal.SIGINT, previous)


class LazyGroup(TyperGroup):
    """A group of commands whose modules are imported when a command is asked for by its name."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        # A name that is nearly one of these is answered with it.
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        if cmd_name not in COMMANDS:
            return None
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, cls=Command, context_settings=_SETTINGS)(load(COMMANDS[cmd_name]))
        return typer.main.get_command(single)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        whole_sentences(self, ctx, formatter)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run a command; what a user can mend becomes one sentence and exit code 1."""
        if SURFACE not in os.environ:  # started by no other surface
            speak_to(Surface.COMMAND)
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            _leave_stdout(141)  # 128 + SIGPIPE, as of any program in a pipe
        except OSError as error:
            # Commands turn the failures of files into sentences; what is left is the answer itself.
            reason = error.filename or "The answer cannot be written"
            typer.echo(
                f"sasnet: {reason}: {error.strerror or error}; make room or write elsewhere.", err=True
            )
            _leave_stdout(1)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except SasnetError as error:
            typer.echo(f"sasnet: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    context_settings=_SETTINGS,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"sasnet {sasnet_plugin.__version__}")
        raise typer.Exit


@app.callback()
def _sasnet(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Find the models that fit a small-angle-scattering measurement. Start with: sasnet fit data.dat"""


def main() -> None:
    """Run the command line; Ctrl-C ends it with exit code 130, a closed pipe (``| head``) quietly."""
    os.environ.update(safe_environment())
    prepare()
    try:
        app(prog_name="sasnet")
    except KeyboardInterrupt:
        sys.exit(130)


def _leave_stdout(code: int) -> None:
    # The interpreter flushes stdout once more at exit; give it somewhere to write.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
