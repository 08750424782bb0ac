"""The simulator of curves: a model's prior → clean curve on the wide grid; `examples` measures them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..domains.heads import Classes, Head, Inputs, Targets
from ..domains.simulator import HeldOut, Layout, Row, Simulator
from ..types import SimulationError
from .clean import Clean, simulate_clean
from .dataset import Plan, Request, Shard, open_shard, shard_paths
from .grid import N_WIDE, WIDE_Q
from .priors import form_models, model_info, structure_factors
from .quick_models.cost_classes import cost_class
from .quick_models.separable import SEPARABLE

FORMAT = 5
#: Of shards of the earlier, truncated prior, whose bytes have not changed since.
_FORMAT_TRUNCATED = 2
#: Curves of one model in one round: a shard that is lost with a kill is seconds to a minute of work, and fast
#: models have as many as keep a long training from learning them by heart.
PER_ROUND = {"fast": 600, "medium": 50, "slow": 20}
#: Of slow ones whose averages take a tenth of the others' time.
SEPARABLE_ROUND = 60
#: A curve of these takes seconds even so; a pringle only under the truncated prior.
VERY_SLOW = {"pringle": 2, "superball": 5}
PRINGLES = 10
#: Monodisperse curves besides, whose sizes are spread when they are drawn (`polydispersity.spread`): a tenth
#: of the cost of a polydisperse one. Fast models need none.
SPREAD = {"fast": 0, "medium": 100, "slow": 80}
SPREAD_VERY_SLOW = {"superball": 12, "bcc_paracrystal": 15, "fcc_paracrystal": 15, "sc_paracrystal": 15}
#: Of separable ones: a long training learns fewer by heart.
SPREAD_SEPARABLE = 400
#: Large ones of these, which the truncated prior leaves out.
SPREAD_LARGE = {"pringle": 100}
#: Settings of the instrument in what a stream hands over at once.
_CHUNKS = 8
#: After so many of these it looks for new shards, and reads them all when they are so many times as many.
_LOOK_AGAIN, _GROWN = 500, 1.1


@dataclass(frozen=True)
class CurveSimulator(Simulator):
    """Curves of one model, or, without a name, of all of them: these plan datasets and are drawn together."""

    model: str = ""  #: sasmodels' name, or the path of a plugin model file.
    monodisperse: bool = False  #: Leave size distributions out.
    truncated: bool = False  #: The earlier prior; see `clean.simulate_clean`.

    @property
    def layout(self) -> Layout:
        """Shards of one model and round each, compressed."""
        return Layout(
            content="{rows:,} curves of {parts} models",
            row_bytes=N_WIDE * 4 + 600,
            shard_bytes=N_WIDE * 8 + 12_000,
            unit=self._unit,
            constants={"q": (WIDE_Q, "1/Ang")},
            compressed=("log_intensity",),
        )

    def _unit(self, key: str) -> str:
        if "_pd" in key:
            return ""
        units = {p.name: p.units for p in model_info(self.model).parameters.call_parameters}
        return str(units.get(key, ""))

    def plan(self, folder: Path | str, request: Request) -> Plan:
        """Plan shards of all requested models, round by round so that stopping early has some of each. Raises
        SimulationError for an unknown model or two plugins of one name.
        """
        # A round holds 600 curves of a fast model, 60 of a separable, 50 of a medium and 20 of another slow
        # one, times the scale; ``spread`` adds 100 monodisperse curves of a medium model, 80 of a slow and
        # 400 of a separable one.
        _check_names(request.models)
        form = _FORMAT_TRUNCATED if request.truncated else FORMAT
        settings = {"format": form, "seed": request.seed, "monodisperse": request.monodisperse}
        versions = _versions()
        shards = []
        for number in range(request.rounds):
            for name in request.models or (*form_models(), *structure_factors()):
                for row_count, monodisperse, spread in _list_round(name, request):
                    stem = Path(name).stem
                    attributes = {
                        "format": form,
                        "model": name,
                        "seed": request.seed,
                        "round": number,
                        "monodisperse": monodisperse,
                        "spread": spread,
                        **versions,
                    }
                    shards.append(
                        Shard(
                            str(folder),
                            f"{stem}{'-spread' if spread else ''}-{number:04d}",
                            CurveSimulator(name, monodisperse, request.truncated),
                            row_count,
                            (request.seed, _digest(f"{stem}{' spread' if spread else ''}"), number),
                            attributes,
                            label=f"{stem}, round {number + 1}",
                            part=name,
                        )
                    )
        return Plan(tuple(shards), settings)

    def sample(self, rng: np.random.Generator) -> Clean:
        """Draw parameters, again where they give no valid curve, which takes its simulation to know."""
        return simulate_clean(self.model, rng, monodisperse=self.monodisperse, truncated=self.truncated)

    def clean(self, params: Clean) -> Row:
        """The curve and what is known of it."""
        return {
            "log_intensity": params.log_intensity,
            "n_valid": params.n_valid,
            "parameters": dict(sorted(params.parameters.items())),
            "radius_effective": params.radius_effective,
            "max_length": params.max_length,
            "log_rg": params.log_rg,
        }

    def examples(self, folder: Path | str, rng: np.random.Generator) -> Iterator[tuple[Inputs, Targets]]:
        """Curves of a dataset measured anew without end, as a network reads them."""
        from .examples import BODY_SHARE, Stream, concatenate
        from .library import TRAINING_DILUTE_SHARE, Library

        def library() -> Library:
            return Library(Path(folder), dilute_share=TRAINING_DILUTE_SHARE)

        known_count, stream = len(shard_paths(folder)), Stream(library(), rng, bodies=BODY_SHARE)
        for number in count():
            # More curves may be simulated meanwhile.
            if number % _LOOK_AGAIN == _LOOK_AGAIN - 1 and len(shard_paths(folder)) > _GROWN * known_count:
                known_count, stream.library = len(shard_paths(folder)), library()
            part = concatenate([stream.chunk() for _ in range(_CHUNKS)])
            yield {"features": part.features}, part.partial_targets()

    def labels(self, folder: Path | str) -> dict[str, Mapping[str, Any]]:
        """Return by head the classes of a dataset and which go together."""
        from .library import Library

        library = Library(Path(folder))
        allowed = {n: list(a) for n, a in zip(library.forms, library.allowed, strict=True)}
        return {
            "form": {"labels": list(library.forms)},
            "structure_factor": {"labels": ["", *library.structure_factors], "allowed": allowed},
        }

    def draw_held_out(
        self,
        folder: Path | str,
        rng: np.random.Generator,
        per_model: int,
        heads: tuple[Head, ...],
        progress: Callable[[int], None] | None = None,
    ) -> HeldOut:
        """Draw curves of every model and other kind, half under the frozen protocol, half as in training with
        bodies that no model is. Raises SimulationError if shards hold other models than heads.
        """
        # Calibration under one protocol alone is overconfident under others.
        from .examples import BODY_SHARE, draw_mixed_set
        from .library import Library

        library = Library(Path(folder))
        form = heads[0]
        assert isinstance(form, Classes)
        if library.forms != form.labels:
            raise SimulationError(
                f"{folder}: does not hold the models of the training data; simulate the same list of models."
            )
        mixed_set = draw_mixed_set(
            library,
            rng,
            per_model=per_model,
            other_share=0.1,
            wide_share=1.0,
            bodies=BODY_SHARE,
            progress=progress,
        )
        mixed_set = mixed_set.take(np.argsort(mixed_set.form < 0, kind="stable"))
        known_count = int(np.sum(mixed_set.form >= 0))
        return HeldOut(
            {"features": mixed_set.features}, mixed_set.targets(), {"kind": mixed_set.kind}, known_count
        )

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        from ..data.preprocess import Q_MAX, Q_MIN
        from .library import Library

        ranges = _parameter_ranges(Path(folder), Library(Path(folder)).forms)
        return {"q_range": [Q_MIN, Q_MAX], "parameters": ranges}


def _list_round(name: str, request: Request) -> list[tuple[int, bool, bool]]:
    """Rows of a model's shards in a round, whether these are monodisperse, and to be spread later."""
    quick = name in SEPARABLE and not request.truncated
    usual = SEPARABLE_ROUND if quick else PER_ROUND[cost_class(name)]
    slow_models = VERY_SLOW if request.truncated else {**VERY_SLOW, "pringle": PRINGLES}
    rows = max(1, round(slow_models.get(name, usual) * request.scale))
    if request.limit is not None:
        rows = min(rows, request.limit)
    slowest = SPREAD_VERY_SLOW if request.truncated else {**SPREAD_VERY_SLOW, **SPREAD_LARGE}
    usual = SPREAD_SEPARABLE if quick else SPREAD[cost_class(name)]
    extra_rows = slowest.get(name, usual) if request.spread else 0
    rounds = [(rows, request.monodisperse, False)]
    return [*rounds, (max(1, round(extra_rows * request.scale)), True, True)] if extra_rows else rounds


def prior_of(folder: Path | str) -> str:
    """Describe the prior that a folder's curves were drawn from."""
    with open_shard(shard_paths(Path(folder))[0]) as file:
        truncated = int(file.attrs["format"]) == _FORMAT_TRUNCATED
    return "the earlier, truncated prior" if truncated else "the prior of docs/prior.md"


def _parameter_ranges(folder: Path, forms: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Unit, least and greatest value of every parameter in the shards, by model."""
    ranges: dict[str, dict[str, Any]] = {name: {} for name in forms}
    for path in shard_paths(folder):
        with open_shard(path) as file:
            page = ranges.get(Path(str(file.attrs["model"])).stem)
            if page is None:
                continue
            table = file["parameters"]
            for key, unit, column in zip(
                table.attrs["names"], table.attrs["units"], table[()].T, strict=True
            ):
                if "_pd" in key or not np.isfinite(column).any():
                    continue
                low, high = float(np.nanmin(column)), float(np.nanmax(column))
                entry = page.setdefault(str(key), {"unit": str(unit), "range": [low, high]})
                entry["range"] = [min(low, entry["range"][0]), max(high, entry["range"][1])]
    for page in ranges.values():
        for entry in page.values():
            entry["range"] = [float(f"{x:.4g}") for x in entry["range"]]
    return ranges


def _digest(text: str) -> int:
    """Checksum of a name for a generator that depends on seed, model and round alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("sasmodels", "numpy")}


def _check_names(names: tuple[str, ...] | None) -> None:
    stems: dict[str, str] = {}
    for name in names or ():
        model_info(name)
        stem = Path(name).stem
        if stem in stems:
            raise SimulationError(f"{name}: has the same name as {stems[stem]}; rename the plugin file.")
        stems[stem] = name


SIMULATOR = CurveSimulator()
