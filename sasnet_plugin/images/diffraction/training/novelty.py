"""The bank of simulated profiles that diffraction images are compared with, written beside their network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ....domains.simulator import HeldOut
from ....simulate.dataset import Dataset
from ....train.package import Finished, Trained
from ..prediction.novelty import BANK, SHARE, Bank, profiles
from ..simulation.samples import tags_of

#: Profiles of the bank, and their counts: enough that counting hides nothing.
PROFILES, COUNTS = 4000, 3e6
#: Counts for which limits are found, and simulated shots for each.
LEVELS, SHOTS = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7), 400
#: Images at once.
_BATCH = 256


def finish(trained: Trained, held: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """Write ``novelty.npz``: training shots as measured, and how far validation shots are from them."""
    rng, simulator = np.random.default_rng(31), trained.domain.simulated()
    data, other = Dataset(trained.data, simulator), Dataset(trained.validation, simulator)
    rows = [data[int(row)] for row in rng.permutation(len(data))[:PROFILES]]
    parts = [
        profiles(simulator.measure(rows[start : start + _BATCH], rng, exposure=COUNTS)[0])
        for start in range(0, len(rows), _BATCH)
    ]
    decades, seen = (np.concatenate([getattr(part, name) for part in parts]) for name in ("decades", "seen"))
    none = np.zeros(0)
    bank = Bank(decades.astype(np.float16), seen, np.array([_empty(row) for row in rows]), none, none, none)
    others = [other[row] for row in range(len(other))]

    def limit(some: Sequence[Mapping[str, Any]], counts: float, empty: bool) -> float:
        shots = [some[int(row)] for row in rng.integers(len(some), size=SHOTS)]
        found = profiles(simulator.measure(shots, rng, exposure=counts)[0])
        return float(np.quantile(bank.distances(found, empty=empty), 1 - SHARE))

    dark = [row for row in others if _empty(row)]
    limits = np.array([(limit(others, counts, False), limit(dark, counts, True)) for counts in LEVELS])
    path = trained.target / BANK
    known = replace(bank, levels=np.log10(LEVELS), limits=limits[:, 0], empty_limits=limits[:, 1])
    np.savez_compressed(path, **asdict(known))
    heads = f"{len(trained.heads)} heads, {held.known:,} examples held out, {len(rows):,} profiles"
    return Finished(heads=trained.heads, files=(path,), summary=heads)


def _empty(row: Mapping[str, Any]) -> bool:
    return tags_of(row["parameters"])["Empty"] > 0
