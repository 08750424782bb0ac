"""The contrast of what a user names, and the parameters of a model that it settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...materials import scattering_length_density as scattering_length_density  # together/ asks here
from ...types import SasnetError
from ..task import Contrast, Task

#: Only the square of the difference of these two counts, so that it does not matter which is the sample.
_EXCHANGEABLE: Mapping[str, tuple[str, str]] = {"teubner_strey": ("sld_a", "sld_b")}


def settled(contrast: Contrast, model: str) -> dict[str, float]:
    """Values of the parameters of a form model that a contrast settles, 1e-6/Å².

    The solvent is every parameter whose name says so. The sample is fixed where a model has one material
    besides; where it has several (core and shell), or only a shell around something else, the sample may
    be either, and none is fixed.
    """
    from ...simulate.priors import model_info

    names = [p.name for p in model_info(model).parameters.call_parameters if p.type == "sld"]
    if model in _EXCHANGEABLE:
        if contrast.sample is None or contrast.solvent is None:
            return {}
        return dict(zip(_EXCHANGEABLE[model], (contrast.sample, contrast.solvent), strict=True))
    found = {}
    if contrast.solvent is not None:
        found = {name: contrast.solvent for name in names if "solvent" in name}
    matter = [name for name in names if "solvent" not in name]
    if contrast.sample is not None and len(matter) == 1 and "shell" not in matter[0]:
        found[matter[0]] = contrast.sample
    return found


def contrast_of(
    sample: str | None, solvent_: str | None, probe: str = "neutron", wavelength: float | None = None
) -> Contrast | None:
    """The contrast of a sample in a solvent; None where neither is given.

    Raises
    ------
    SasnetError
        One of them cannot be read, or they do not differ.
    """
    if sample is None and solvent_ is None:
        return None
    values = [
        None if text is None else scattering_length_density(text, probe, wavelength)
        for text in (sample, solvent_)
    ]
    found = Contrast(values[0], values[1], sample or "", solvent_ or "", probe)
    _see_they_differ(found)
    return found


def _see_they_differ(found: Contrast) -> None:
    if found.sample is None or found.solvent is None:
        return
    if abs(found.sample - found.solvent) < 1e-3:  # 10⁻⁶ Å⁻²: the last digit that is said
        raise SasnetError(
            f"{found.sample_name} in {found.solvent_name}: both have a scattering length density of"
            f" {found.sample:.3f}e-6/Å², so nothing would scatter; check sample and solvent."
        )


def with_contrast(contrast: Contrast | None, tasks: Sequence[Task]) -> tuple[list[Task], list[str]]:
    """Fix in each task what the contrast settles, and say what that is.

    A value or range that the user gives for a parameter goes before.
    """
    if contrast is None:
        return list(tasks), []
    named: dict[tuple[str, ...], list[str]] = {}
    found = []
    for task in tasks:
        own = {*task.fixed, *task.ranges}
        values = {k: v for k, v in settled(contrast, task.model).items() if k not in own}
        found.append(replace(task, fixed={**values, **task.fixed}))
        models = named.setdefault(tuple(sorted(values)), [])
        if task.model not in models:
            models.append(task.model)
    given = [
        f"{name} {value:.3g}"
        for name, value in (
            (contrast.sample_name, contrast.sample),
            (contrast.solvent_name, contrast.solvent),
        )
        if value is not None
    ]
    probe = "X-rays" if contrast.probe == "xray" else "neutrons"
    notes = [f"Scattering length densities for {probe}, 10⁻⁶ Å⁻²: {', '.join(given)}."]
    for names, models in named.items():
        if names:
            unclear = contrast.sample is not None and all("solvent" in n for n in names)
            why = f" alone, as {contrast.sample_name} may be any of its materials" if unclear else ""
            notes.append(f"Fixed in {', '.join(models)}: {', '.join(names)}{why}.")
        else:
            notes.append(f"{', '.join(models)}: nothing to fix, scale and shape are fitted as before.")
    return found, notes
