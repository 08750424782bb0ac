"""Sectors and spin states for SasView and Bumps: a plugin model with angles and up fractions of a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...data.sample.sample import Sample
from ...data.sample.sectors import compute_up_fractions
from ...files import MARK, put_whole, read_tables, read_text
from ...fitting.result.model_fit import Parameter
from ...fitting.result.sample_result import JointFit, SampleResult
from ...simulate.magnetic_spheres import LAYER
from ...simulate.priors import model_info
from ...types import Curve

_PARTICLES = read_tables(__file__)


def plugin_path(best: JointFit, folder: Path) -> Path | None:
    """Where the plugin model of a fit of sectors is written; None for other samples."""
    if "azimuth" not in best.own[0]:
        return None
    kind = "magnetic" if LAYER in best.parameters else "oriented"
    return Path(folder) / f"{kind}_{best.model}.py"


def write_plugin(result: SampleResult, plugin: Path) -> SampleResult:
    """Write the plugin model of the best fit of sectors; return the fit as one of this model."""
    best = result.best
    assert best is not None
    text = list_source(best.model, plugin.stem)
    put_whole(plugin, text.encode(), "SasView plugin model", make_folder=True)
    own = best.own
    if LAYER in best.parameters:
        spins = [list_spins(curve, result.sample) for curve in result.sample.curves]
        own = tuple({**angles, **spin} for angles, spin in zip(own, spins, strict=True))
    return replace(result, fits=(replace(best, model=str(plugin), own=own),))


def list_source(model: str, name: str) -> str:
    """A plugin model of sasmodels: a particle as a sector, and spheres as a spin state, show it."""
    kept = _list_parameters(model)
    sizes = [p.name for p in kept if p.type == "volume"]
    particle = _PARTICLES[model]
    template = "magnetic_model.txt" if "nuclear" in particle else "sector_model.txt"
    return read_text(__file__, template).format(
        head=f"{model} in sectors of the detector", mark=MARK, name=name, sizes=", ".join(sizes),
        parameters="\n".join(map(_describe_parameter, kept)), arguments=", ".join(p.name for p in kept),
        **particle,
    )  # fmt: skip


def _list_parameters(model: str) -> list[Any]:
    return [p for p in model_info(model).parameters.kernel_parameters if p.type != "orientation"]


def _describe_parameter(p: Any) -> str:
    low, high = p.limits
    return f"    [{p.name!r}, {p.units!r}, {p.default!r}, [{low}, {high}], {p.type!r}, ''],"


def list_spins(curve: Curve, sample: Sample) -> Mapping[str, Parameter]:
    """Up fractions of a curve before and after the sample, and the azimuth of the field."""
    before, behind = compute_up_fractions(curve.spin, sample.polarisation)
    values = {
        "up_frac_i": before,
        "up_frac_f": behind,
        "analysed": float(len(curve.spin) == 2),
        "field": sample.field_azimuth or 0.0,
    }
    return {name: Parameter(value, None, "", True, value, value) for name, value in values.items()}
