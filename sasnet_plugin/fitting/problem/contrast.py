"""The contrast of what a user names, and the parameters of a model that it settles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...materials import scattering_length_density
from ...types import SasnetError
from ..task import Contrast, Task

#: Only the square of the difference of these two counts, so that it does not matter which is the sample.
_EXCHANGEABLE: Mapping[str, tuple[str, str]] = {"teubner_strey": ("sld_a", "sld_b")}

#: What models with one material besides the solvent call its density, and those with two phases.
_ONE_MATERIAL = {"sld", "sld_block", "sld_a", "sld_b"}


def compute_contrast_values(contrast: Contrast, model: str) -> dict[str, float]:
    """Values of the parameters of a form model that a contrast settles, 1e-6/Å²."""
    # The solvent is every parameter whose name says so. The sample is fixed where a model has one material
    # besides; where it has several (core and shell), or only a shell around something else, the sample may be
    # either, and none is fixed.
    if model in _EXCHANGEABLE:
        both_materials = _drop_unknown(
            dict(zip(_EXCHANGEABLE[model], (contrast.sample, contrast.solvent), strict=True))
        )
        return both_materials if len(both_materials) == 2 else {}
    solvents, matter = _materials(model)
    only_material = matter if len(matter) == 1 and "shell" not in matter[0] else []
    return _drop_unknown(
        dict.fromkeys(solvents, contrast.solvent) | dict.fromkeys(only_material, contrast.sample)
    )


def given_parameters(fixed: Iterable[str], contrast: Contrast | None, model: str) -> tuple[str, ...]:
    """Names of the parameters of a form model whose values a user has given, also as materials."""
    plain = contrast is not None and "+" not in model and not model.endswith(".py")
    named = compute_contrast_values(contrast, model) if contrast is not None and plain else {}
    return tuple(dict.fromkeys([*fixed, *named]))


def names_settled_by(contrast: Contrast) -> set[str]:
    """Names that parameters settled by a contrast have in any model."""
    solvent = {"sld_solvent"} if contrast.solvent is not None else set()
    return solvent | (_ONE_MATERIAL if contrast.sample is not None else set())


def _materials(model: str) -> tuple[list[str], list[str]]:
    from ...simulate.priors import model_info

    names: tuple[list[str], list[str]] = [], []
    for p in model_info(model).parameters.call_parameters:
        if p.type == "sld":
            names["solvent" not in p.name].append(p.name)
    return names


def _drop_unknown(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def contrast_of(
    sample: str | None, solvent_: str | None, probe: str = "neutron", wavelength: float | None = None
) -> Contrast | None:
    """Return the contrast of a sample in a solvent; None if neither is given. Raises SasnetError if one is
    unreadable or they do not differ.
    """
    if sample is None and solvent_ is None:
        return None
    densities = _density(sample, probe, wavelength), _density(solvent_, probe, wavelength)
    contrast = Contrast(*densities, sample or "", solvent_ or "", probe)
    _see_they_differ(contrast)
    return contrast


def _density(text: str | None, probe: str, wavelength: float | None) -> float | None:
    return None if text is None else scattering_length_density(text, probe, wavelength)


def _see_they_differ(contrast: Contrast) -> None:
    if contrast.sample is None or contrast.solvent is None:
        return
    if abs(contrast.sample - contrast.solvent) < 1e-3:  # 10⁻⁶ Å⁻²: the last digit that is said
        raise SasnetError(
            f"{contrast.sample_name} in {contrast.solvent_name}: both have a scattering length density of"
            f" {contrast.sample:.3f}e-6/Å², so nothing would scatter; check sample and solvent."
        )


def fix_contrast(contrast: Contrast | None, tasks: Sequence[Task]) -> tuple[list[Task], list[str]]:
    """Fix in each task what the contrast settles, and say what that is."""
    # A value or range that the user gives for a parameter goes before.
    if contrast is None:
        return list(tasks), []
    models_by_names: dict[tuple[str, ...], dict[str, None]] = {}
    fixed_tasks = []
    for task in tasks:
        given_names = {*task.fixed, *task.ranges, *task.fitted}
        values = {
            k: v for k, v in compute_contrast_values(contrast, task.model).items() if k not in given_names
        }
        fixed_tasks.append(replace(task, fixed={**values, **task.fixed}))
        models_by_names.setdefault(tuple(sorted(values)), {})[task.model] = None
    fixed = (_describe_fixed(contrast, names, models) for names, models in models_by_names.items())
    return fixed_tasks, [_describe_contrast(contrast), *fixed]


def _describe_contrast(contrast: Contrast) -> str:
    values = _drop_unknown({contrast.sample_name: contrast.sample, contrast.solvent_name: contrast.solvent})
    densities_text = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    probe = "X-rays" if contrast.probe == "xray" else "neutrons"
    return f"Scattering length densities for {probe}, 10⁻⁶ Å⁻²: {densities_text}."


def _describe_fixed(contrast: Contrast, names: Iterable[str], models: Iterable[str]) -> str:
    if not names:
        return f"{', '.join(models)}: the materials determine no parameter, so nothing was fixed."
    unclear = contrast.sample is not None and all("solvent" in n for n in names)
    why = f" only, because {contrast.sample_name} may be any of its other materials" if unclear else ""
    return f"Fixed in {', '.join(models)}: {', '.join(names)}{why}."
