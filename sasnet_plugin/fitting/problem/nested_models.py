"""Models that become a simpler one where a parameter reaches a limit, exactly and not just nearly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import hypot, inf, sqrt

from ...simulate.priors import model_info
from ...types import sum_parts
from .sums import extract_part, prefix

#: From the values of a model's parameters to one of a simpler model's.
Formula = Callable[[Mapping[str, float]], float]
#: A parameter's value where the simpler model begins, or the name of the parameter that it equals there.
Limit = float | str


@dataclass(frozen=True)
class Reduction:
    """One model as the limit of another: there the two curves agree, up to scale."""

    #: Parameter -> its limit; another parameter's name where the two are equal. All of them together.
    at: Mapping[str, Limit]
    name: str  #: The simpler model, sasmodels' name; ``sphere@hardsphere`` for a product.
    #: The simpler model's parameters: of which own parameter, or by which formula. What is not listed has the
    #: same name and value in both.
    mapping: Mapping[str, str | Formula]

    @property
    def limit_names(self) -> set[str]:
        """Parameters of the larger model that stand at a limit, or of which one equals the other there."""
        return {
            mapped_name for pair in self.at.items() for mapped_name in pair if isinstance(mapped_name, str)
        }

    @property
    def _relevant_names(self) -> set[str]:
        """Parameters of the larger model that the mapping uses or that stand at a limit; and the scale."""
        return (
            {mapped_name for mapped_name in self.mapping.values() if isinstance(mapped_name, str)}
            | set(self.at)
            | {"scale"}
        )

    def start(self, values: Mapping[str, float]) -> dict[str, float]:
        """Translate parameters of the larger model into starting values of the simpler one: those mapped, and
        others not at their limit. Scale is excluded, as the two count volumes differently.
        """
        used = self._relevant_names
        values_kept = {k: v for k, v in values.items() if k.removesuffix("_pd") not in used}
        for new, mapped in self.mapping.items():
            if isinstance(mapped, str):
                values_kept[new] = values[mapped]
                if f"{mapped}_pd" in values:
                    values_kept[f"{new}_pd"] = values[f"{mapped}_pd"]
            else:
                values_kept[new] = mapped(values)
                values_kept |= _width(new, mapped, values, values_kept[new])
        return values_kept


def _width(new: str, formula: Formula, values: Mapping[str, float], value: float) -> dict[str, float]:
    """How widely a size is spread that a formula gives, relative to it, as those that it is made of are."""
    spread = [name for name in values if values.get(f"{name}_pd")]
    moved = [formula({**values, name: values[name] * (1 + values[f"{name}_pd"])}) - value for name in spread]
    width = hypot(*moved) / value if value > 0 else 0.0
    return {f"{new}_pd": width} if width > 0 else {}


def _shape(limits: Mapping[str, Limit], name: str, **mapping: str | Formula) -> Reduction:
    return Reduction(limits, name, mapping)


#: Shells of a sphere up to which it is asked whether the outer ones are there.
_MOST_SHELLS = 4


def _reduce_outer_shells() -> Iterator[Reduction]:
    """Reduce spheres with several shells to the first one, as others have no thickness or contrast."""
    for n in range(2, _MOST_SHELLS + 1):
        for vanishing in product((True, False), repeat=n - 1):
            limits: dict[str, Limit] = {"n": float(n)}
            for i, thin in enumerate(vanishing, 2):
                limits[f"thickness{i}" if thin else f"sld{i}"] = 0.0 if thin else "sld_solvent"
            yield _shape(limits, "core_shell_sphere", thickness="thickness1", sld_shell="sld1")


_TABLE: dict[str, tuple[Reduction, ...]] = {
    "binary_hard_sphere": (
        _shape({"volfraction_sm": 0.0}, "sphere@hardsphere", radius="radius_lg", sld="sld_lg",
               radius_effective="radius_lg", volfraction="volfraction_lg"),
    ),
    "broad_peak": (
        _shape({"peak_scale": 0.0}, "power_law", power="porod_exp"),
        _shape({"porod_scale": 0.0, "width_exp": 2.0, "shape_exp": 1.0}, "peak_lorentz",
               peak_hwhm=lambda p: 1 / p["correlation_length"]),
    ),
    "capped_cylinder": (_shape({"radius_cap": inf}, "cylinder"),),
    "core_multi_shell": (
        _shape({"n": 0.0}, "sphere", sld="sld_core"),
        _shape({"n": 1.0}, "core_shell_sphere", thickness="thickness1", sld_shell="sld1"),
        *_reduce_outer_shells(),
        _shape({"n": 2.0, "sld2": "sld1"}, "core_shell_sphere", sld_shell="sld1",
               thickness=lambda p: p["thickness1"] + p["thickness2"]),
    ),
    "core_shell_bicelle": (
        _shape({"thick_rim": 0.0, "thick_face": 0.0}, "cylinder", sld="sld_core"),
    ),
    "core_shell_bicelle_elliptical": (_shape({"x_core": 1.0}, "core_shell_bicelle"),),
    "core_shell_cylinder": (
        _shape({"thickness": 0.0}, "cylinder", sld="sld_core"),
        _shape({"radius": 0.0}, "cylinder", radius="thickness", sld="sld_shell",
               length=lambda p: p["length"] + 2 * p["thickness"]),
        _shape({"sld_shell": "sld_solvent"}, "cylinder", sld="sld_core"),
        _shape({"sld_shell": "sld_core"}, "cylinder", sld="sld_core",
               radius=lambda p: p["radius"] + p["thickness"],
               length=lambda p: p["length"] + 2 * p["thickness"]),
    ),
    "core_shell_ellipsoid": (
        _shape({"thick_shell": 0.0}, "ellipsoid", radius_equatorial="radius_equat_core", sld="sld_core",
               radius_polar=lambda p: p["x_core"] * p["radius_equat_core"]),
        _shape({"x_core": 1.0, "x_polar_shell": 1.0}, "core_shell_sphere", radius="radius_equat_core",
               thickness="thick_shell"),
    ),
    "core_shell_parallelepiped": (
        _shape(
            {"thick_rim_a": 0.0, "thick_rim_b": 0.0, "thick_rim_c": 0.0}, "parallelepiped", sld="sld_core"
        ),
    ),
    "core_shell_sphere": (
        _shape({"thickness": 0.0}, "sphere", sld="sld_core"),
        _shape({"radius": 0.0}, "sphere", radius="thickness", sld="sld_shell"),
        _shape({"sld_shell": "sld_solvent"}, "sphere", sld="sld_core"),
        _shape({"sld_shell": "sld_core"}, "sphere", sld="sld_core",
               radius=lambda p: p["radius"] + p["thickness"]),
        _shape({"sld_core": "sld_solvent"}, "vesicle", sld="sld_shell"),
    ),
    "correlation_length": (
        _shape({"lorentz_scale": 0.0}, "power_law", power="porod_exp"),
        _shape({"porod_scale": 0.0, "lorentz_exp": 2.0}, "lorentz"),
        _shape({"lorentz_exp": 2.0}, "lorentz+power_law", A_cor_length="cor_length", B_power="porod_exp",
               A_scale="lorentz_scale", B_scale="porod_scale"),
    ),
    "ellipsoid": (_shape({"radius_polar": "radius_equatorial"}, "sphere", radius="radius_equatorial"),),
    "elliptical_cylinder": (_shape({"axis_ratio": 1.0}, "cylinder", radius="radius_minor"),),
    "flexible_cylinder_elliptical": (_shape({"axis_ratio": 1.0}, "flexible_cylinder"),),
    "fractal": (_shape({"cor_length": 0.0}, "sphere", sld="sld_block"),),
    "fractal_core_shell": (
        _shape({"thickness": 0.0}, "fractal", sld_block="sld_core"),
        _shape({"cor_length": 0.0}, "core_shell_sphere"),
    ),
    "fuzzy_sphere": (_shape({"fuzziness": 0.0}, "sphere"),),
    "gauss_lorentz_gel": (
        _shape({"gauss_scale": 0.0}, "lorentz", cor_length="cor_length_dynamic"),
        # exp(-q²Ξ²/2) is Guinier's exp(-q²Rg²/3).
        _shape({"lorentz_scale": 0.0}, "guinier", rg=lambda p: sqrt(1.5) * p["cor_length_static"]),
    ),
    "gel_fit": (
        _shape({"guinier_scale": 0.0, "fractal_dim": 2.0}, "lorentz"),
        _shape({"lorentz_scale": 0.0}, "guinier"),
    ),
    "guinier_porod": (_shape({"rg": 0.0}, "power_law", power="s"),),
    "hollow_cylinder": (_shape({"radius": 0.0}, "cylinder", radius="thickness"),),
    "lamellar_hg": (
        _shape({"length_head": 0.0}, "lamellar", thickness=lambda p: 2 * p["length_tail"]),
        _shape({"length_tail": 0.0}, "lamellar", thickness=lambda p: 2 * p["length_head"], sld="sld_head"),
    ),
    "lamellar_hg_stack_caille": (
        _shape({"length_head": 0.0}, "lamellar_stack_caille", thickness=lambda p: 2 * p["length_tail"]),
    ),
    "lamellar_stack_caille": (_shape({"Nlayers": 1.0}, "lamellar"),),
    "lamellar_stack_paracrystal": (_shape({"Nlayers": 1.0}, "lamellar"),),
    "linear_pearls": (_shape({"num_pearls": 1.0}, "sphere"),),
    "multilayer_vesicle": (_shape({"n_shells": 1.0}, "vesicle", thickness="thick_shell"),),
    "pearl_necklace": (_shape({"num_pearls": 1.0}, "sphere"),),
    "poly_gauss_coil": (_shape({"polydispersity": 1.0}, "mono_gauss_coil"),),
    "polymer_excl_volume": (_shape({"porod_exp": 2.0}, "mono_gauss_coil"),),
    "polymer_micelle": (_shape({"v_corona": 0.0}, "sphere", radius="radius_core", sld="sld_core"),),
    "raspberry": (_shape({"volfraction_sm": 0.0}, "sphere", radius="radius_lg", sld="sld_lg"),),
    "stacked_disks": (
        _shape({"n_stacking": 1.0, "thick_layer": 0.0}, "cylinder", length="thick_core", sld="sld_core"),
        # Discs in contact, of one material.
        _shape({"sld_layer": "sld_core", "sigma_d": 0.0}, "cylinder", sld="sld_core",
               length=lambda p: p["n_stacking"] * (p["thick_core"] + 2 * p["thick_layer"])),
    ),
    "star_polymer": (
        # One arm, or two, which are one chain.
        _shape({"arms": 1.0}, "mono_gauss_coil", rg=lambda p: sqrt(p["rg_squared"])),
        _shape({"arms": 2.0}, "mono_gauss_coil", rg=lambda p: sqrt(p["rg_squared"])),
    ),
    "superball": (
        _shape({"exponent_p": 1.0}, "sphere", radius=lambda p: p["length_a"] / 2),
        _shape({"exponent_p": inf}, "parallelepiped", length_a="length_a", length_b="length_a",
               length_c="length_a"),
    ),
    "teubner_strey": (_shape({"d": inf}, "dab", cor_length="xi"),),
    "triaxial_ellipsoid": (
        _shape({"radius_equat_minor": "radius_equat_major"}, "ellipsoid",
               radius_equatorial="radius_equat_major"),
        _shape({"radius_polar": "radius_equat_major"}, "ellipsoid", radius_polar="radius_equat_minor",
               radius_equatorial="radius_equat_major"),
    ),
    "truncated_tetrahedron": (_shape({"truncation": 0.0}, "tetrahedron"),),
    "two_lorentzian": (
        _shape({"lorentz_scale_2": 0.0, "lorentz_exp_1": 2.0}, "lorentz", cor_length="lorentz_length_1"),
        _shape({"lorentz_scale_1": 0.0, "lorentz_exp_2": 2.0}, "lorentz", cor_length="lorentz_length_2"),
    ),
    "two_power_law": (_shape({"power_1": "power_2"}, "power_law", power="power_2"),),
    "vesicle": (_shape({"radius": 0.0}, "sphere", radius="thickness"),),
}  # fmt: skip


def simpler(model: str, structure_factor: str | None = None) -> tuple[Reduction, ...]:
    """List what a model becomes at limits of its parameters: of a product the limits of form and structure
    factor, of a sum those of each component.
    """
    parts = sum_parts(model)
    if len(parts) > 1:
        return (
            *reduce_to_component(model),
            *(r for i in range(len(parts)) for r in _reduce_component(parts, i)),
        )
    return _TABLE.get(model, ()) if structure_factor is None else _reduce_product(model, structure_factor)


def _reduce_product(model: str, structure_factor: str) -> tuple[Reduction, ...]:
    reductions = [
        Reduction(r.at, f"{r.name}@{structure_factor}", r.mapping)
        for r in _TABLE.get(model, ())
        # An invisible layer still keeps others away: S(q) stays that of the larger body.
        if "sld_solvent" not in r.at.values() and "@" not in r.name
    ]
    reductions.append(Reduction({"volfraction": 0.0}, model, {}))
    if structure_factor == "hayter_msa":
        reductions.append(Reduction({"charge": 0.0}, f"{model}@hardsphere", {}))
    return tuple(reductions)


def _reduce_component(parts: Sequence[str], index: int) -> Iterator[Reduction]:
    begin = prefix(index)
    form, _, factor = parts[index].partition("@")

    def add_prefix(mapped: str | Formula) -> str | Formula:
        if isinstance(mapped, str):
            return f"{begin}{mapped}"
        return lambda values: mapped(extract_part(values, index, len(parts)))

    for r in simpler(form, factor or None):
        if "+" in r.name:  # no sum of three is fitted
            continue
        limits = {f"{begin}{k}": f"{begin}{v}" if isinstance(v, str) else v for k, v in r.at.items()}
        name = "+".join((*parts[:index], r.name, *parts[index + 1 :]))
        yield Reduction(
            limits, name, {f"{begin}{new}": add_prefix(mapped) for new, mapped in r.mapping.items()}
        )


@lru_cache(maxsize=512)
def reduce_to_component(model: str) -> tuple[Reduction, ...]:
    """Reduce a sum of two to either component, where the other has scale 0; empty for other models."""
    parts = sum_parts(model)
    if len(parts) != 2:
        return ()
    return tuple(
        Reduction({f"{prefix(1 - i)}scale": 0.0}, part, _map_to_sum_names(part, prefix(i)))
        for i, part in enumerate(parts)
    )


def _map_to_sum_names(part: str, begin: str) -> dict[str, str | Formula]:
    table = model_info(part).parameters.call_parameters
    names = [p.name for p in table if p.type not in ("orientation", "magnetic")]
    return {name: f"{begin}{name}" for name in names if name not in ("scale", "background")}


def larger(model: str) -> list[str]:
    """Form models that become a model at limits of their parameters."""
    return [
        name
        for name, reductions in _TABLE.items()
        if any(reduction.name == model for reduction in reductions)
    ]


def reduce_attraction(model: str, structure_factor: str | None) -> tuple[Reduction, ...]:
    """What a product nearly is where its structure factor has no attraction left."""
    # Not among `simpler`: the closures of squarewell and stickyhardsphere differ from sasmodels' hardsphere
    # by per cents. Whether the data see these, fits say.
    attractionless: dict[str, tuple[dict[str, Limit], ...]] = {
        "squarewell": ({"welldepth": 0.0}, {"wellwidth": 1.0}),
        "stickyhardsphere": ({"stickiness": inf},),
    }
    return tuple(
        Reduction(limits, f"{model}@hardsphere", {})
        for limits in attractionless.get(structure_factor or "", ())
    )
