"""A user's own sasmodels models: found by path or name, and where their fits start.

The network does not know them and the bank holds no curves of them, so a few dozen are computed on the spot.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...simulate.bank import BANK_STEP, FLOOR, LOG_Q_MIN, N_BANK, Page
from ...simulate.kernel import call
from ...simulate.priors import model_info, parameter_names, sample_prior, structure_factors
from ...types import ModelGuess, SasnetError, Suggestion, sum_parts
from ..ledger import count, read_spent_time
from ..settings import PROBLEM


def is_sum(name: str, forms: Sequence[str]) -> bool:
    """Return whether a name is a sum of two of these form models, each with or without a structure factor."""
    # Both names of a product are compared: sasmodels loads a structure factor that is a path, and runs it.
    parts = [part.partition("@") for part in sum_parts(name)]
    factors = ("", *structure_factors())
    return len(parts) == 2 and all(form in forms and factor in factors for form, _, factor in parts)


def split(models: Sequence[str] | None, forms: Sequence[str]) -> tuple[list[str] | None, list[str]]:
    """Separate names the classifier knows (`forms`, first) from the user's sums and plugin paths."""
    # A name is sasmodels', a sum of two, ``path/my_model.py`` or a plugin in ``SAS_MODELPATH`` (else
    # ``~/.sasmodels/custom_models``). Raises SasnetError for a missing or unreadable plugin.
    if models is None:
        return None, []
    network_models, plugins = [], []
    for name in models:
        if is_sum(name, forms):
            model_info(name)
            plugins.append(name)
            continue
        path = None if name in forms else find_plugin(name)
        if path is None:
            network_models.append(name)
            continue
        _see_it_is_a_model(path)
        plugins.append(path)
    return network_models, plugins


def _see_it_is_a_model(path: str) -> None:
    if any(sign in path for sign in "@+*"):
        raise SasnetError(f"{path}: sasmodels takes @, + and * in a path for a product or a sum; rename it.")
    model_info(path)


def find_plugin(name: str) -> str | None:
    """Return the path of a user's model that is named by its path or its name; None if it is none."""
    if name.endswith(".py"):
        return os.path.abspath(os.path.expanduser(name))
    folder = os.environ.get("SAS_MODELPATH") or os.path.expanduser("~/.sasmodels/custom_models")
    stem = name.removeprefix("custom.")
    path = Path(folder) / f"{stem}.py"
    # A name stays in the folder; what lies elsewhere is given as a file.
    return str(path.absolute()) if stem.isidentifier() and path.is_file() else None


def add_plugins(suggestion: Suggestion, plugins: Sequence[str], *, is_only: bool) -> Suggestion:
    """Add a user's plugins to the suggested models with even probability; `is_only` without others."""
    if not plugins:
        return suggestion
    guesses = () if is_only else suggestion.models
    share = 1 / (len(guesses) + len(plugins))
    guesses_kept = [replace(g, probability=g.probability * share * len(guesses)) for g in guesses]
    return replace(
        suggestion, models=(*(ModelGuess(path, None, share, "") for path in plugins), *guesses_kept)
    )


def plugin_defaults(model: str) -> dict[str, float]:
    """Values of the parameters that a plugin's file states."""
    info = model_info(model)
    controls = {p.id: float(p.default) for p in info.parameters.kernel_parameters if p.is_control}
    return {name: controls.get(name, float(p.default)) for name, p in parameter_names(info, controls)}


def page_of(model: str, seconds: float) -> Page:
    """Compute a page of starting values as in the bank, for a plugin, within `seconds` of evaluations
    (`costs`). Raises SasnetError if no parameters tried give a finite, positive curve.
    """
    deadline = read_spent_time() + seconds
    rng = np.random.default_rng(7)
    draw = plugin_defaults(model)
    q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
    rows: list[dict[str, float]] = []
    curves, radii = [], []
    for _ in range(PROBLEM.plugin_curves):
        count(model, draw, q, quick=False)
        try:
            simulated = call(model, q, draw)
        except Exception:  # whatever it raises beside its defaults, which have to work
            if not rows:
                raise
            break
        good = np.isfinite(simulated.intensity) & (simulated.intensity > 0)
        if good.mean() > 0.5 or (good.any() and not rows):  # the defaults in any case
            log_i = np.log(np.where(good, simulated.intensity, np.nan))
            rows.append(draw)
            curves.append(np.maximum(log_i - np.nanmax(log_i), FLOOR))
            radii.append(simulated.radius_effective)
        if read_spent_time() >= deadline:
            break
        try:
            draw = sample_prior(model, rng)
        except SasnetError:  # beside its defaults it has no curve, or none that can be found
            break
    if not rows:
        raise SasnetError(
            f"{model}: has no finite, positive curve for its default parameters; correct the model."
        )
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    table = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    return Page(names, table, np.array(curves, dtype=np.float32), np.array(radii))
