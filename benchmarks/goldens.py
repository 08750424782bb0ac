"""Are all numbers the same, to the bit, as those of another commit?

``python -m benchmarks goldens record --out FOLDER`` writes the numbers of 130 classified curves, 60 fits, 30
samples of several curves, 20 samples of sectors, 10 magnetic ones, images of each kind and 20 plans, one JSON
line each. ``python -m benchmarks goldens compare --out FOLDER``, on the commit to compare, calculates again
what was recorded, and prints each number that differs. Sentences are left out: a text is compared only where
it has no blank, as names of models have none. ``--third 0|1|2`` is a fixed third, ``--most N`` the first N of
each kind of that, ``--kinds fits plans`` some kinds. A run that was killed goes on; one of changed files
begins anew.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.types import SasnetError

from .common import kept, parser_of, resumed, this_process
from .rooms import checkout_version

#: Entries of an answer that are sentences, or differ between two runs.
LEFT_OUT = frozenset(
    {
        "file",
        "files",
        "source",
        "notes",
        "warnings",
        "doubt",
        "doubts",
        "headline",
        "next",
        "cautions",
        "purpose",
    }
)
#: Differences that are printed of each kind.
PRINTED = 20


def list_numbers(answer: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each number, truth value and name of an answer under its path; a float by its bits."""
    if isinstance(answer, Mapping):
        for key, value in answer.items():
            if key not in LEFT_OUT:
                yield from list_numbers(value, f"{path}/{key}")
    elif isinstance(answer, np.ndarray | list | tuple):
        for i, value in enumerate(answer):
            yield from list_numbers(value, f"{path}/{i}")
    elif isinstance(answer, bool | np.bool_ | int | np.integer) or answer is None:
        yield path, None if answer is None else int(answer)
    elif isinstance(answer, float | np.floating):
        yield path, float(answer).hex()
    elif isinstance(answer, str) and not any(map(str.isspace, answer)):
        yield path, answer


# --- What is answered.


def classify(index: int) -> Any:
    from sasnet_plugin.predict import suggest

    from .fitting.task import problem

    suggestion = suggest(problem(index, 85, exact=False).curve, top=10)
    models = {each.name: [each.structure_factor, each.probability] for each in suggestion.models}
    return {"models": models, "groups": [each.probability for each in suggestion.groups],
            "in_scope": suggestion.in_scope}  # fmt: skip


def fit_curve(index: int) -> Any:
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.types import Curve

    from .fitting.everyday_curves import SAMPLES, everyday

    drawn = everyday(index % len(SAMPLES), 1 + index // len(SAMPLES))
    curve = Curve(drawn.q, drawn.intensity, drawn.dintensity, dq=drawn.dq)
    return fit_with(this_process(), curve, FitOptions()).as_dict()


def fit_several(index: int) -> Any:
    from .fitting.together import KINDS, SECTORS, draw, fit

    kinds = len(KINDS) - 1  # without sectors
    assert KINDS[-1] == SECTORS
    return fit(draw(index // kinds * len(KINDS) + index % kinds)).as_dict()


def fit_sectors(index: int) -> Any:
    from .fitting.together import KINDS, draw, fit

    return fit(draw(index * len(KINDS) + len(KINDS) - 1)).as_dict()


def fit_magnetic(index: int) -> Any:
    from .fitting.magnetism import draw, fit

    return fit(draw(index)[1]).as_dict()


def answer_image(index: int) -> Any:
    """Of each kind: what the network says of simulated ones; of scattering and lattices what is refined."""
    from sasnet_plugin.domains import DEFAULT, PAGES, ReadOptions, specification
    from sasnet_plugin.images.sans.fitting import fit_image
    from sasnet_plugin.predict.predictor import open_predictor

    from .fitting.oriented_images import draw
    from .images import elsewhere_gisas, elsewhere_sans

    names = [name for name in PAGES if name != DEFAULT]
    kind, number = index % (len(names) + 3), index // (len(names) + 3)
    if kind < len(names):
        predictor, rng = open_predictor(names[kind]), np.random.default_rng([index, 85])
        simulator = predictor.domain.open_simulator()
        images, _ = simulator.measure([simulator.clean(simulator.sample(rng)) for _ in range(3)], rng)
        return {
            name: np.asarray(values) for name, values in predictor.outputs(predictor.features(images)).items()
        }
    with tempfile.TemporaryDirectory() as folder:
        if kind == len(names):
            fitted = fit_image(draw(number, Path(folder))[2])
            return {"body": fitted.body, "values": {k: [p.value, p.error] for k, p in fitted.values.items()}}
        scenes, domain = ((elsewhere_sans, "sans2d"), (elsewhere_gisas, "gisas_hex"))[kind - len(names) - 1]
        (image,) = specification(domain).read(str(scenes.scene(number, 85, Path(folder))[0]), ReadOptions())
        (answer,) = open_predictor(domain).answers([image])
        return answer.as_dict()


def plan_next(index: int) -> Any:
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.problem.contrast import contrast_of
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.planning.next_measurement import next_measurement

    from .fitting import next_measurement as planned

    _, _, of_solvent, largest = planned.draw(index)
    offer, seconds = planned.find_offer(planned.FIRST_SETTING)[0], planned.FIRST_TIME
    curve = planned.measured(of_solvent, largest, offer, planned.D2O, seconds, [index, 85])
    # Few models: the plan is what is compared.
    models = ("sphere", "core_shell_sphere", "ellipsoid", "cylinder")
    result = fit_with(this_process(), curve, FitOptions(contrast=contrast_of(None, "D2O"), models=models))
    name = next(iter(result.fits[0].free)) if index % 2 else None
    return next_measurement(
        result,
        parameter=name,
        solvents=planned.SOLVENTS,
        instrument=planned.INSTRUMENT,
        time=seconds,
    ).as_dict()


#: Kind -> how many, and what is answered of each.
KINDS: dict[str, tuple[int, Callable[[int], Any]]] = {
    "curves": (130, classify), "fits": (60, fit_curve), "samples": (30, fit_several),
    "sectors": (20, fit_sectors), "magnetic": (10, fit_magnetic), "images": (16, answer_image),
    "plans": (20, plan_next),
}  # fmt: skip


# --- Recording and comparing.


def answer_kind(kind: str, path: Path, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Numbers of each answer of a kind; those that the file has are not calculated again."""

    def answer(missing: list[int]) -> Iterator[dict[str, Any]]:
        for index in missing:
            try:
                values = dict(list_numbers(KINDS[kind][1](index)))
            except SasnetError as error:  # a refusal is an answer too
                values = {"/refused": type(error).__name__}
            yield {"index": index, "values": values}

    rows = resumed(path, numbers, answer, lambda row: f"{len(row['values'])} numbers")
    return {row["index"]: row["values"] for row in rows}


def list_differences(recorded: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Lines for all numbers of one answer that differ."""

    def spell(value: Any) -> str:
        return repr(float.fromhex(value)) if isinstance(value, str) and "0x" in value else repr(value)

    missing = object()
    names = dict.fromkeys([*recorded, *values])
    return [
        f"{name}: {'none' if name not in recorded else spell(recorded[name])} →"
        f" {'none' if name not in values else spell(values[name])}"
        for name in names
        if recorded.get(name, missing) != values.get(name, missing)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, write=False)
    parser.add_argument("action", choices=("record", "compare"))
    parser.add_argument("--out", type=Path, required=True, help="folder of the recorded numbers")
    parser.add_argument("--third", type=int, choices=(0, 1, 2))
    parser.add_argument("--most", type=int, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    asked = parser.parse_args(arguments)
    version, differing = checkout_version(), 0
    head = asked.out / "commit.json"
    if asked.action == "record":
        asked.out.mkdir(parents=True, exist_ok=True)
        head.write_text(json.dumps({"commit": version}), encoding="utf-8")
    print(f"recorded with {json.loads(head.read_text(encoding='utf-8'))['commit']}, this is {version}")
    for kind in asked.kinds:
        numbers = [i for i in range(KINDS[kind][0]) if asked.third is None or i % 3 == asked.third]
        file = asked.out / f"{kind}.jsonl"
        if asked.action == "record":
            answer_kind(kind, file, numbers[: asked.most])
            continue
        recorded = {index: row["values"] for index, row in kept(file).items()}
        again = asked.out / "compared" / version / file.name
        if version.endswith("+"):
            again.unlink(missing_ok=True)
        answers = answer_kind(kind, again, [i for i in numbers if i in recorded][: asked.most])
        for index, values in answers.items():
            lines = list_differences(recorded[index], values)
            differing += bool(lines)
            for line in lines[:PRINTED]:
                print(f"{kind} {index} {line}")
        print(f"{kind}: {len(answers)} compared")
    if asked.action == "compare":
        print(f"{differing} answers differ" if differing else "all equal to the bit")
    return int(differing > 0)
