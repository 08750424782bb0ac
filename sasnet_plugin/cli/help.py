"""How a command explains itself: options in groups, three examples, whole sentences."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand

#: Options by what they are about, in the order of the help; what is not here stands under "Options".
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "What is read": (
            *("test", "q_range", "q_unit", "wavelength", "entry"),
            *("domain", "geometry", "together", "together_by", "sample_file", "kind"),
        ),
        "Which models": ("top", "models", "exclude", "prior", "structure_factor"),
        "What is known": ("fixed", "ranges", "start", "sample", "solvent", "probe", "share", "own", "tie"),
        "How it is fitted": ("verify", "method", "samples", "burn", "time_limit"),
        "Where it runs": ("workers", "scheduler", "shard"),
        "What is written": (
            "out", "as_json", "details", "table", "plot", "report", "export", "card", "figure", "quiet",
            "force",
        ),
    }
)  # fmt: skip
#: Commands by what they are for, in the order of ``sasnet -h``.
COMMAND_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "One sample": ("fit", "classify", "next"),
        "Many files": ("batch", "follow", "sort"),
        "In the browser": ("web", "tag"),
        "In other programs": ("sasview", "bumps", "mcp", "serve"),
        "Train networks": ("simulate", "train", "evaluate", "groups"),
    }
)
#: Three calls of each command, each with what it is for.
EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "classify": (
            ("sasnet classify data.dat", "rank the models for one file"),
            ("sasnet classify runs/ --csv answers.csv --report pages", "a line per file, and an overview"),
            ("sasnet classify data.dat --q-unit nm --q-range 0.01:0.3", "q in nm⁻¹, and a part of it"),
        ),
        "follow": (
            ("sasnet follow curves/ --out run.csv --watch --page run.html", "curves as they are measured"),
            ("sasnet follow run.h5 --out run.csv --model sphere", "each curve fitted from the one before"),
            ("sasnet follow frames/ --out growth.csv --plot growth.png", "a growing film, frame by frame"),
        ),
        "tag": (
            ("sasnet tag curves/", "see curves with the suggestions of the model"),
            ("sasnet tag images/ --domain diffraction", "tag images, labels in labels.sqlite"),
            ("sasnet tag images/ --database postgresql+psycopg://me@host/labels", "several people"),
        ),
        "web": (
            ("sasnet web", "a page to drop files on"),
            ("sasnet web runs/", "the same on a folder, which is followed"),
            ("sasnet web runs/ --work analysis", "with another work folder"),
        ),
        "fit": (
            ("sasnet fit data.dat", "the best model, fitted and checked"),
            (
                "sasnet fit data.dat --sample SiO2@2.2 --solvent D2O",
                "contrast from the materials",
            ),
            (
                "sasnet fit data.dat --models sphere,cylinder --report pages",
                "these models, with an HTML page",
            ),
        ),
        "next": (
            ("sasnet next data.dat", "which q range or counting time decides"),
            ("sasnet next data.dat --sample SiO2@2.2 --solvent H2O", "mixtures with D2O, too"),
            ("sasnet next data.dat --for radius --instrument reactor_sans", "a radius to 1 %, times in s"),
        ),
        "batch": (
            ("sasnet batch 'runs/*.dat' --out results.h5", "many files, one row each"),
            ("sasnet batch runs/ --out heating.h5 --series --against temperature", "frames in order"),
            ("sasnet batch runs/ --out results.h5 --shard 3/8", "the third of eight jobs of an array"),
        ),
        "sort": (
            ("sasnet sort run42.cxi --out sorted.h5 --report pages", "clusters, and a page of them"),
            (
                "sasnet sort run42.cxi --out sorted.h5 --like run42.cxi:17",
                "the images most similar to frame 17",
            ),
            ("sasnet sort run43.cxi --out next.h5 --old sorted.h5", "new images into old clusters"),
        ),
        "sasview": (
            ("sasnet sasview --install", "Fitting → Suggest model… from SasView's next start"),
            ("sasnet sasview data.dat", "SasView with a file and the window"),
            ("sasnet sasview --uninstall", "remove the entry from SasView"),
        ),
        "bumps": (
            ("sasnet bumps data.dat", "fits, then Bumps' page in the browser"),
            ("sasnet bumps data.dat --models sphere --time-limit 10", "one model, ten seconds"),
            ("sasnet bumps data.dat --no-browser --port 5150", "on a machine without a screen"),
        ),
        "serve": (
            ("sasnet serve", "JSON lines on stdin and stdout"),
            ("sasnet serve --workers 4", "with four processes that fit"),
            ("""echo '{"id": 1, "do": "hello"}' | sasnet serve""", "test whether it answers"),
        ),
        "mcp": (
            ("sasnet mcp ~/beamtime", "as an assistant starts it"),
            ("sasnet mcp ~/beamtime --port 8765", "by HTTP, with a key"),
            ("sasnet mcp . --workers 1", "this folder, one process that fits"),
        ),
        "simulate": (
            (
                "sasnet simulate --out data/train --rounds 5 --seed 1 --spread",
                "the training set",
            ),
            ("sasnet simulate --out data/test --seed 2 --limit 30", "a small set for a test"),
            ("sasnet simulate --out own --models my_model.py", "of a plugin model"),
        ),
        "train": (
            ("sasnet train --data data/train --validation data/validation --run runs/a", "train and package"),
            ("sasnet train --data d --validation v --run r --steps 500 --zoo model_zoo/try", "a short trial"),
            ("sasnet train --data d --validation v --run r --net dropout=0.1", "with another network"),
        ),
        "evaluate": (
            ("sasnet evaluate --test data/test", "accuracy and calibration"),
            ("sasnet evaluate --test data/test --scheduler tcp://host:8786", "the same on a cluster"),
            ("sasnet evaluate --test data/test --card model_zoo/sas1d/card.md", "write the model card"),
        ),
        "groups": (
            ("sasnet groups", "models that data rarely distinguish"),
            ("sasnet groups --plot groups.svg", "their tree as a figure"),
            ("sasnet groups --json", "for a program"),
        ),
    }
)


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
            title = "Arguments" if argument else title_of.get(param.name, "Options")
            sections[title].append(param.get_help_record(ctx))
        for title, records in sections.items():
            if rows := list(filter(None, records)):
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the examples, none of which is broken into lines."""
        examples = EXAMPLES.get(str(self.name), ())
        if examples:
            with formatter.section("Examples"):
                for call, explanation in examples:
                    formatter.write(f"  {call}\n      {explanation}\n")


def whole_sentences(group: Any, ctx: typer.Context, formatter: Any) -> None:
    """Write the commands of a group in sections, each with its first sentence, none cut."""
    listed = group.list_commands(ctx)
    width = max(map(len, listed))
    for title, group_names in COMMAND_GROUPS.items():
        names = [name for name in group_names if name in listed]
        with formatter.section(title):
            formatter.write_dl(
                [(name.ljust(width), _first_sentence(group.get_command(ctx, name))) for name in names]
            )


def _first_sentence(command: Any) -> str:
    return " ".join((command.help or "").strip().partition("\n\n")[0].split())
