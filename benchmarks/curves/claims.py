"""Of what the network is sure of, how much is right; and does it know what it does not know?

A claim is a first answer of at least 90 % on a curve that is said to be in scope, under the prior that users
see. Right is the model that a curve was simulated with; of the samples of `people_measure`, what an expert
accepts. Curves: the frozen realistic protocol (shards of a seed of their own, sasnet simulate), the shifted
protocol's kept curves, people's samples, and crystals, powders and reflectivity (`claims_others`).

    python -m benchmarks curves/claims [--realistic FOLDER] [--write] [--keep model_zoo/sas1d]
    # another zoo: SASNET_MODEL_ZOO
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import Curve

from ..tables import markdown
from . import claims_others, people_measure, shifted_protocol

CLAIM = 0.9
#: Curves of each kind that no model explains.
OTHERS = 40
SEED = 20261127
#: Realistic curves of each model.
PER_MODEL = 10
#: Sets of right and wrong answers that are drawn for what an ECE is by chance.
_DRAWS = 200


@dataclass(frozen=True)
class Asked:
    """What the network says of a set of curves."""

    name: str
    right: NDArray[np.bool_]  #: (n,), whether the first answer under the prior of users is accepted.
    said: NDArray[np.float64]  #: (n,), its probability.
    #: even_right, even: the same if every model were as common as every other: so they are in simulated sets.
    even_right: NDArray[np.bool_]
    even: NDArray[np.float64]
    known: NDArray[np.bool_]  #: (n,), said to be in scope.


def of_features(name: str, features: Any, accepted: Sequence[Sequence[str]]) -> Asked:
    """The installed network's answers to curves as it reads them."""
    from sasnet_plugin.predict.arithmetic import sigmoid, softmax
    from sasnet_plugin.predict.class_prior import common
    from sasnet_plugin.predict.predictor import open_predictor

    predictor = open_predictor()
    manifest, labels = predictor.manifest, predictor.manifest.labels
    outputs = predictor.outputs({"features": features})
    even = softmax(outputs["form"] / manifest.calibration["form"]["temperature"])
    usual = even * common(labels)
    usual /= usual.sum(axis=1, keepdims=True)
    scope = manifest.calibration["scope"]
    inside = sigmoid(scope["slope"] * outputs["scope"][:, 0] + scope["offset"]) >= scope["threshold"]

    def right(p: NDArray[np.float64]) -> NDArray[np.bool_]:
        first = p.argmax(axis=1).tolist()
        return np.array(
            [labels[row] in names for row, names in zip(first, accepted, strict=True)], dtype=bool
        )

    return Asked(name, right(usual), usual.max(axis=1), right(even), even.max(axis=1), inside)


def of_curves(name: str, curves: Sequence[Curve], accepted: Sequence[Sequence[str]]) -> Asked:
    """The same of curves as files have them."""
    from sasnet_plugin.predict.predictor import open_predictor

    predictor = open_predictor()
    features = predictor.features([predictor.seen(curve).measurement for curve in curves])["features"]
    return of_features(name, features, accepted)


def realistic(folder: Path) -> Asked:
    """Curves of the frozen protocol."""
    from sasnet_plugin.simulate.examples import protocol_set
    from sasnet_plugin.simulate.library import Library

    library = Library(folder)
    found = protocol_set(library, np.random.default_rng(SEED), per_model=PER_MODEL)
    return of_features("realistic", found.features, [(library.forms[form],) for form in found.form])


def sets(folder: Path | None) -> list[Asked]:
    """All sets of known models and of people's samples."""
    found = [realistic(folder)] if folder else []
    for path in sorted((Path(__file__).parents[1] / "rows" / "shifted").glob("*.npz")):
        kept = shifted_protocol.load(path)
        curves = [Curve(c.q, c.intensity, c.dintensity, c.dq) for c in kept]
        found.append(of_curves(f"shifted {kept[0].protocol}", curves, [(c.model,) for c in kept]))
    samples = people_measure.load(people_measure.ROWS)
    for kind in people_measure.SETS:
        of_kind = [s for s in samples if s.kind == kind]
        curves = [Curve(s.q, s.intensity, s.dintensity) for s in of_kind]
        found.append(of_curves(kind, curves, [s.accepted for s in of_kind]))
    return found


def others() -> list[Asked]:
    """Curves that no model explains."""
    found = []
    for number, (name, make) in enumerate(claims_others.KINDS.items()):
        rng = np.random.default_rng([SEED, number])
        curves = []
        for _ in range(OTHERS):
            true, window = make(rng)
            one = people_measure.measured(name, (), np.nan, claims_others.Q, true, rng, window)
            curves.append(Curve(one.q, one.intensity, one.dintensity))
        found.append(of_curves(name, curves, [()] * OTHERS))
    return found


def share(values: NDArray[Any]) -> str:
    """In percent."""
    return f"{100 * float(np.mean(values)):.1f}" if len(values) else "–"


def row(one: Asked) -> dict[str, str]:
    """Of one set, shares in percent; ECE of simulated models under the prior that they were drawn from."""
    from sasnet_plugin.train.metrics import expected_calibration_error

    claims = one.known & (one.said >= CLAIM)
    simulated = one.name == "realistic" or one.name.startswith("shifted")
    stated = (one.even, one.even_right) if simulated else (one.said, one.right)
    return {
        "set": one.name,
        "curves": str(len(one.right)),
        "first right %": share(one.right),
        "uniform prior %": share(one.even_right),
        "claims": str(int(claims.sum())),
        "of these right %": share(one.right[claims]),
        "ECE": f"{expected_calibration_error(*stated):.3f}",
        "by chance": f"{by_chance(stated[0]):.3f}",
        "out of scope %": share(~one.known),
    }


def by_chance(said: NDArray[np.float64]) -> float:
    """ECE of these probabilities where each is kept to the letter, on average: so few curves show no less."""
    from sasnet_plugin.train.metrics import expected_calibration_error

    rng = np.random.default_rng(SEED)
    drawn = rng.random((_DRAWS, said.size)) < said
    return float(np.mean([expected_calibration_error(said, right) for right in drawn]))


def together(found: Sequence[Asked]) -> Asked:
    """All sets as one."""
    names = ("right", "said", "even_right", "even", "known")
    return Asked("together", *(np.concatenate([getattr(one, name) for one in found]) for name in names))


def page(rows: Sequence[dict[str, str]], strange: Sequence[Asked]) -> str:
    """The tables."""
    table = [
        [one.name, str(len(one.known)), share(~one.known), str(int((one.known & (one.said >= CLAIM)).sum()))]
        for one in strange
    ]
    return (
        "# Claims\n\nA claim is a first answer of at least 90 % in scope. ECE of simulated models is under"
        " the prior that they\nwere drawn from; by chance is what as many curves show whose probabilities are"
        " kept to the letter.\n\n"
        + markdown(list(rows[0]), [list(one.values()) for one in rows])
        + "\nCurves that no model explains:\n\n"
        + markdown(["kind", "curves", "out of scope %", "claims"], table)
    )


def keep(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write the rows into the manifest of a model, for its card."""
    from sasnet_plugin.zoo import register

    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["metrics"]["elsewhere"] = list(rows)
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    register(folder)


def main() -> None:
    """Ask, print, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--realistic", type=Path, help="folder of test shards")
    parser.add_argument("--write", action="store_true", help="keep the tables beside this file")
    parser.add_argument("--keep", type=Path, help="folder of the asked model; its card then has the table")
    asked = parser.parse_args()
    found, strange = sets(asked.realistic), others()
    rows = [row(one) for one in [*found, together(found)]]
    text = page(rows, strange)
    print(text)
    if asked.keep:
        keep(asked.keep, rows)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
