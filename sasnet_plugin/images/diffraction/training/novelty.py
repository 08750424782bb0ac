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


def finish(trained: Trained, held_out: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """Write ``novelty.npz``: training shots as measured, and how far validation shots are from them."""
    rng, simulator = np.random.default_rng(31), trained.domain.open_simulator()
    data, validation = Dataset(trained.data, simulator), Dataset(trained.validation, simulator)
    rows = [data[int(row)] for row in rng.permutation(len(data))[:PROFILES]]
    parts = [
        profiles(simulator.measure(rows[start : start + _BATCH], rng, exposure=COUNTS)[0])
        for start in range(0, len(rows), _BATCH)
    ]
    decades, covered = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("decades", "seen")
    )
    no_levels = np.zeros(0)
    bank = Bank(
        decades.astype(np.float16),
        covered,
        np.array([_empty(row) for row in rows]),
        no_levels,
        no_levels,
        no_levels,
    )
    rest = [validation[row] for row in range(len(validation))]

    def limit(subset: Sequence[Mapping[str, Any]], counts: float, empty: bool) -> float:
        shots = [subset[int(row)] for row in rng.integers(len(subset), size=SHOTS)]
        found_profiles = profiles(simulator.measure(shots, rng, exposure=counts)[0])
        return float(np.quantile(bank.distances(found_profiles, empty=empty), 1 - SHARE))

    dark = [row for row in rest if _empty(row)]
    limits = np.array([(limit(rest, counts, False), limit(dark, counts, True)) for counts in LEVELS])
    path = trained.target / BANK
    known_bank = replace(bank, levels=np.log10(LEVELS), limits=limits[:, 0], empty_limits=limits[:, 1])
    np.savez_compressed(path, **asdict(known_bank))
    heads = f"{len(trained.heads)} heads, {held_out.known:,} examples held out, {len(rows):,} profiles"
    return Finished(heads=trained.heads, files=(path,), summary=heads)


def _empty(row: Mapping[str, Any]) -> bool:
    return tags_of(row["parameters"])["Empty"] > 0
