"""The command ``sasnet``: a table of commands, each imported only when it is called for.

Every command is a function of a module of this folder; its signature holds its options (typer), and its heavy
imports are inside the function. To add a command, write the function and add its line to COMMANDS.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import sasnet_plugin

from ..extensions import load, merge_tables
from ..types import SasnetError
from ..workers.child import safe_environment
from .help import COMMAND_GROUPS, Explained, whole_sentences
from .old_options import rename_options
from .streams import prepare

_PLACES = {
    "fit": "sasnet_plugin.cli.fit:fit",
    "classify": "sasnet_plugin.cli.classify:classify",
    "next": "sasnet_plugin.cli.next:next_",
    "batch": "sasnet_plugin.cli.batch:batch",
    "follow": "sasnet_plugin.cli.follow:follow",
    "web": "sasnet_plugin.cli.web:web",
    "sasview": "sasnet_plugin.cli.sasview:sasview",
    "bumps": "sasnet_plugin.cli.bumps:bumps",
    "mcp": "sasnet_plugin.cli.mcp:mcp",
    "serve": "sasnet_plugin.cli.sasview:serve",
    "simulate": "sasnet_plugin.cli.simulate:simulate",
    "train": "sasnet_plugin.cli.train:train",
    "evaluate": "sasnet_plugin.cli.evaluate:evaluate",
    "groups": "sasnet_plugin.cli.evaluate:groups",
    **merge_tables("COMMANDS"),
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
