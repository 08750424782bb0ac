"""Which classifier is best: SASNets' architecture, neighbours, trees or sasnet, on the same curves and split.

``python -m benchmarks curves/classification a --work W`` runs SASNets' protocol (builds its data first,
``--costs`` prints what that takes), ``b`` the realistic protocol, ``learning-curve`` trains sasnet's network
on parts of its curves, ``released`` asks packaged networks that have seen more and more batches. Everything
is kept in ``W`` as soon as it is done, so a killed run goes on; ``--write`` puts the tables found there into
``benchmarks/curves/classification.md``. KERAS_BACKEND chooses Keras' backend.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import SasnetError

from ..tables import markdown, percent
from . import protocol_a, protocol_b
from .contest import Answer, Contestant, answer

PIECES = ("a", "b", "learning-curve", "released")


def say(text: str) -> None:
    """Progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def follow(done: Iterable[Any], total: int, what: str) -> None:
    """Run through an iterator, saying every half minute how far it is."""
    last = time.monotonic()
    for count, _ in enumerate(done, 1):
        if time.monotonic() - last > 30:
            say(f"{what}: {count} of {total}")
            last = time.monotonic()


def costs(train: int, test: int) -> str:
    """CPU time that the data of protocol (a) take, dearest model first."""
    rng = np.random.default_rng(0)
    rows = []
    for name in protocol_a.all_models():
        try:
            each = protocol_a.cost(name, rng)
        except SasnetError as error:
            say(str(error))
            continue
        rows.append((each * (train + test) * protocol_a.FEWER.get(name, 1.0), each, name))
    rows.sort(reverse=True)
    lines = [[name, f"{1e3 * each:.2f}", f"{whole:.0f}"] for whole, each, name in rows]
    lines.append(["all", "", f"{sum(row[0] for row in rows):.0f}"])
    return markdown(["model", "ms a curve", "CPU seconds in all"], lines)


def run_a(options: argparse.Namespace) -> None:
    """Build the data, run the contestants, write the table."""
    if options.costs:
        print(costs(options.train, options.test))
        return
    models = tuple(options.models) if options.models else None
    chunks = protocol_a.plan(
        options.work / f"data-a-{options.train}-{options.test}-{options.seed}",
        train=options.train,
        test=options.test,
        seed=options.seed,
        models=models,
    )
    missing = sum(not chunk.path.exists() for chunk in chunks)
    follow(protocol_a.build(chunks, workers=options.workers), missing, "chunks of curves")
    data = protocol_a.load(chunks)
    say(f"{len(data.names)} classes, {len(data.train):,} training and {len(data.test):,} test curves")
    from .contestants import for_protocol_a

    entrants = for_protocol_a(
        data,
        epochs=options.epochs,
        peer_epochs=options.peer_epochs,
        rounds=options.rounds,
        threads=options.workers,
        mixed=options.mixed,
        say=say,
    )
    facts = {"train": options.train, "test": options.test, "seed": options.seed, "names": list(data.names)}
    rows = []
    for contestant, found in answers(entrants, options, facts):
        shares = [percent(protocol_b.top_k(found.probability, data.test_label, k)) for k in (1, 3, 5)]
        rows.append([contestant.title, *shares, *effort(found)])
        say(" ".join(rows[-1]))
    fewer = ", ".join(f"{name} {share:g} of that" for name, share in protocol_a.FEWER.items())
    text = (
        f"{len(data.names)} models of sasmodels, structure factors included; {options.train:,} training and"
        f" {options.test:,} test curves each ({fewer}); q = logspace(-3, 0, 100) Å⁻¹, dq/q 3 %, 2 % noise,"
        f" scale 1, background 1e-5, monodisperse; sasmodels' random(), mended as docs/prior.md says.\n"
        f"Networks get new noise in each epoch; neighbours and trees see one copy of each curve.\n\n"
    )
    header = ["contestant", "top-1 / %", "top-3 / %", "top-5 / %", "training / min", "parameters", "remark"]
    keep(options, "a", "## (a) SASNets' protocol\n\n" + text + markdown(header, rows))


def run_b(options: argparse.Namespace) -> None:
    """Draw the data, run the contestants, write the tables."""
    from sasnet_plugin.simulate.library import Library
    from sasnet_plugin.train.metrics import group_index

    from .contestants import for_protocol_b
    from .ours import from_run, from_zoo

    forms = Library(options.test_shards).forms
    if Library(options.train_shards).forms != forms:
        raise SasnetError(
            f"{options.test_shards}: holds other models than {options.train_shards}; simulate both alike."
        )
    test = test_set(options)
    say(f"{len(forms)} form models, {len(test):,} test curves")
    parts = protocol_b.plan(
        options.train_shards,
        options.work / f"data-b-{options.seed}-{protocol_b.fingerprint(options.train_shards)}",
        total=options.peer_curves * len(forms),
        seed=options.seed,
    )
    missing = sum(not part.path.exists() for part in parts)
    follow(protocol_b.build(parts, workers=options.workers), missing, "parts of training examples")
    train, label = protocol_b.load(parts)
    entrants = for_protocol_b(
        train,
        label,
        test.features[..., protocol_b.KEPT].astype(np.float16),
        len(forms),
        peer_epochs=options.peer_epochs,
        rounds=options.rounds,
        threads=options.workers,
        say=say,
    )
    facts = {"curves": len(label), "test": len(test), "seed": options.seed, "forms": list(forms)}
    facts["shards"] = [protocol_b.fingerprint(f) for f in (options.train_shards, options.test_shards)]
    found = list(answers(entrants, options, facts))
    groups = None
    if options.run:
        ours = from_run(options.run, test, forms)
    else:
        ours = from_zoo(test, forms)
        from sasnet_plugin.predict import open_classifier

        members = [group.members for group in open_classifier().manifest.groups]
        groups = group_index(members, forms)
    ours = replace(ours, seconds=60 * options.minutes)
    rows = [(c.title, a) for c, a in found] + [("sasnet", ours)]
    text = (
        f"Frozen realistic protocol; {len(forms)} form models, {len(test):,} test curves, each with a setting"
        f" of its own; peers trained on {len(label):,} examples from clean curves of the same prior and"
        f" the same stream as sasnet's network, for which it is drawn without end"
        f"{'' if groups is None else f'; {groups.max() + 1} groups'}.\n\n"
    )
    keep(options, "b", "## (b) Realistic protocol\n\n" + text + realistic_tables(rows, test, groups))


def realistic_tables(rows: list[tuple[str, Answer]], test: Any, groups: NDArray[np.intp] | None) -> str:
    """All contestants; our network by instrument; every contestant's top-1 and top-5 by instrument."""
    lines = []
    for title, found in rows:
        score = protocol_b.scores(found.probability, test, groups, (found.extra or {}).get("factor"))
        lines.append([title, *figures(score), *effort(found)])
    wanted = ["top-1", "top-3", "top-5", "group", "S right", "S = 1 right", "S ≠ 1 right", "S balanced"]
    header = [f"{name} / %" for name in wanted] + ["ECE"]
    text = markdown(["contestant", *header, "training / min", "parameters", "remark"], lines)
    _, ours = rows[-1]
    by_instrument = protocol_b.by_instrument(test)
    lines, shares = [], []
    for name, where in by_instrument.items():
        chosen = test.take(where)
        factor = (ours.extra or {}).get("factor")
        score = protocol_b.scores(
            ours.probability[where], chosen, groups, None if factor is None else factor[where]
        )
        lines.append([name, str(len(chosen)), *figures(score)])
        cells = []
        for _, found in rows:
            top1, top5 = (protocol_b.top_k(found.probability[where], chosen.form, k) for k in (1, 5))
            cells.append(f"{percent(top1)} / {percent(top5)}")
        shares.append([name, *cells])
    text += "\nsasnet by instrument:\n\n" + markdown(["instrument", "curves", *header], lines)
    titles = [title for title, _ in rows]
    return text + "\nTop-1 / top-5 in % by instrument:\n\n" + markdown(["instrument", *titles], shares)


def figures(score: dict[str, float]) -> list[str]:
    """A row's shares and its calibration error."""
    keys = ["top1", "top3", "top5", "group"]
    keys += [f"structure_factor_{part}" for part in ("overall", "without", "with", "balanced")]
    return [*(percent(score[key]) for key in keys), f"{score['ece']:.3f}"]


def effort(found: Answer) -> list[str]:
    """A row's minutes, parameters and remark."""
    minutes = "–" if np.isnan(found.seconds) else f"{found.seconds / 60:.1f}"
    return [minutes, f"{found.parameters:,}" if found.parameters else "–", found.remark]


def run_learning_curve(options: argparse.Namespace) -> None:
    """Train and score every trial, write the table."""
    from .learning_curve import finished, run_trial, table, trials

    test = test_set(options)
    rows = []
    if options.run:
        rows.append(finished(options.run, options.train_shards, test))
    for trial in trials(options.steps):
        found = run_trial(
            trial,
            options.train_shards,
            options.work / "learning-curve",
            test,
            batch=options.batch,
            workers=options.workers,
            say=say,
        )
        rows.append((trial, found))
        say(f"{trial.name}: top-1 {percent(found['top1'])} %")
    keep(options, "learning-curve", "## Learning curve on the realistic protocol\n\n" + table(rows))


def run_released(options: argparse.Namespace) -> None:
    """Ask packaged networks, write the table."""
    from sasnet_plugin.simulate.library import Library

    from .learning_curve import released

    test, forms = test_set(options), Library(options.test_shards).forms
    text = (
        f"The networks that were released one after the other, each trained on from the one before, on the"
        f" same {len(test):,} curves under the uniform prior.\n\n"
    )
    found = released(options.networks, test, forms)
    keep(options, "released", "## Learning curve of the released networks\n\n" + text + found)


def test_set(options: argparse.Namespace) -> Any:
    """The frozen test set of the realistic protocol."""
    path = (
        options.work
        / f"test-b-{options.per_model}-{options.seed}-{protocol_b.fingerprint(options.test_shards)}.npz"
    )
    return protocol_b.frozen_test(
        options.test_shards,
        path,
        per_model=options.per_model,
        seed=options.seed,
        progress=lambda done: say(f"test set: {done} models") if done % 10 == 0 else None,
    )


def answers(
    entrants: list[Contestant], options: argparse.Namespace, facts: dict[str, Any]
) -> Iterable[tuple[Contestant, Answer]]:
    """Each wanted contestant with its answer, kept or new."""
    for contestant in entrants:
        if options.contestants and contestant.key not in options.contestants:
            continue
        say(f"{contestant.title} …")
        yield contestant, answer(contestant, options.work / options.protocol, facts)


def keep(options: argparse.Namespace, piece: str, text: str) -> None:
    """Print a piece and keep it; with ``--write``, put all pieces found in the work folder together."""
    print(text)
    (options.work / f"{piece}.md").write_text(text, encoding="utf-8")
    if options.write:
        found = [options.work / f"{name}.md" for name in PIECES]
        parts = [path.read_text(encoding="utf-8") for path in found if path.exists()]
        target = Path(__file__).with_suffix(".md")
        target.write_text("# Classification\n\n" + "\n".join(parts), encoding="utf-8")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work", type=Path, required=True, help="folder for data, checkpoints and results")
    common.add_argument(
        "--workers", type=int, default=2, help="processes that compute curves; threads of trees"
    )
    common.add_argument("--seed", type=int, default=2026)
    common.add_argument("--write", action="store_true", help="keep the tables beside this file")
    contest = argparse.ArgumentParser(add_help=False)
    contest.add_argument(
        "--contestants", nargs="*", help="only these: knn sasnets-log sasnets-raw trees ours"
    )
    contest.add_argument("--peer-epochs", type=int, default=60, help="of SASNets' architecture")
    contest.add_argument("--rounds", type=int, default=100, help="of boosting")
    shards = argparse.ArgumentParser(add_help=False)
    shards.add_argument("--train-shards", type=Path, required=True)
    shards.add_argument("--test-shards", type=Path, required=True)
    shards.add_argument("--per-model", type=int, default=100, help="test curves a model")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="protocol", required=True)
    a = commands.add_parser("a", parents=[common, contest], help="SASNets' protocol")
    a.add_argument("--train", type=int, default=1500, help="training curves a model")
    a.add_argument("--test", type=int, default=200, help="test curves a model")
    a.add_argument("--models", nargs="*", help="only these models")
    a.add_argument("--epochs", type=int, default=30, help="of our network")
    a.add_argument("--mixed", action="store_true", help="bfloat16 arithmetic for our network")
    a.add_argument("--costs", action="store_true", help="only predict the CPU time of the data")
    a.set_defaults(function=run_a)
    b = commands.add_parser("b", parents=[common, contest, shards], help="realistic protocol")
    b.add_argument("--peer-curves", type=int, default=3000, help="training examples a model for the peers")
    b.add_argument("--run", type=Path, help="a training run instead of the model zoo")
    b.add_argument("--minutes", type=float, default=np.nan, help="that sasnet's network was trained for")
    b.set_defaults(function=run_b)
    curve = commands.add_parser("learning-curve", parents=[common, shards], help="parts of the curves")
    curve.add_argument("--steps", type=int, nargs="+", default=[2500, 5000, 10_000])
    curve.add_argument("--batch", type=int, default=512)
    curve.add_argument("--run", type=Path, help="a finished training run of all curves, as a row of its own")
    curve.set_defaults(function=run_learning_curve)
    older = commands.add_parser("released", parents=[common], help="networks trained for longer and longer")
    older.add_argument("networks", type=Path, nargs="+", help="folders, as in the model zoo's history")
    older.add_argument("--test-shards", type=Path, required=True)
    older.add_argument("--per-model", type=int, default=100, help="test curves a model")
    older.set_defaults(function=run_released)
    return parser.parse_args(arguments)


def main() -> None:
    """Run one part of the benchmark."""
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        options.function(options)
    except SasnetError as error:
        sys.exit(str(error))
