"""Groups of models that data rarely distinguish, from what the network for curves confuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..digits import join_names
from ..domains.heads import Classes, Group
from ..domains.simulator import HeldOut
from ..simulate.bank import build_bank
from ..simulate.priors import model_info
from .package import Finished, Trained

#: Groups to cut the dendrogram into.
N_GROUPS = 36
#: What people call the models of a category of sasmodels, and those that it puts elsewhere.
_FAMILIES = {
    "shape:sphere": "spheres and shells", "shape:cylinder": "cylinders", "shape:parallelepiped": "boxes",
    "shape:lamellae": "lamellae", "shape:polyhedron": "polyhedra", "shape:paracrystal": "paracrystals",
    "shape:ellipsoid": "ellipsoids",
}  # fmt: skip
_OWN = {
    "flexible cylinders": ("flexible_cylinder", "flexible_cylinder_elliptical"),
    "polymer coils": ("mono_gauss_coil", "poly_gauss_coil", "star_polymer", "polymer_excl_volume", "lorentz"),
    "power laws": ("power_law", "two_power_law", "porod", "guinier_porod", "unified_power_Rg"),
    "fractals": ("fractal", "fractal_core_shell", "mass_fractal", "surface_fractal", "mass_surface_fractal"),
    "networks": ("correlation_length", "two_lorentzian", "gel_fit", "gauss_lorentz_gel", "dab"),
    "broad peaks": ("broad_peak", "peak_lorentz", "gaussian_peak", "teubner_strey", "spinodal"),
}
#: Share of a group that a family needs to be in its name.
_NAMED = 0.2


def mutual_confusion(probability: NDArray[np.floating], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean probability (k, k) that curves of either model give the other, summed both ways,
    diagonal 0, from calibrated probabilities (n, k).
    """
    k = probability.shape[1]
    mean = np.zeros((k, k))
    np.add.at(mean, truth, probability)
    mean /= np.maximum(mean.sum(axis=1, keepdims=True), 1e-12)
    confusion = mean + mean.T
    np.fill_diagonal(confusion, 0.0)
    return np.asarray(confusion)


def link(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cluster by joining the two clusters most confused; linkage (k − 1, 4) as scipy's, distance −ln of the
    confusion, made to rise.
    """
    # Clusters' confusion is Σ c_ab / √(|A| |B|): between single linkage, which chains, and average, which
    # isolates members of large families. On validation curves groups were right more often than with average,
    # complete or Ward's linkage at equal number.
    k = len(confusion)
    between = confusion.copy()
    size = np.ones(k)
    label = np.arange(k)
    alive = np.ones(k, dtype=bool)
    rows = np.empty((k - 1, 4))
    height = 0.0
    for step in range(k - 1):
        score = between / np.sqrt(np.outer(size, size))
        score[~alive] = -1.0
        score[:, ~alive] = -1.0
        np.fill_diagonal(score, -1.0)
        a, b = (int(x) for x in np.unravel_index(int(np.argmax(score)), score.shape))
        height = max(height + 1e-6, -np.log(max(score[a, b], 1e-12)))
        rows[step] = (*sorted((label[a], label[b])), height, size[a] + size[b])
        between[a] += between[b]
        between[:, a] += between[:, b]
        size[a] += size[b]
        label[a] = k + step
        alive[b] = False
    return rows


def cut(
    linkage: NDArray[np.float64],
    forms: Sequence[str],
    n_groups: int = N_GROUPS,
) -> list[tuple[str, tuple[str, ...]]]:
    """Undo the last joins so that `n_groups` named ones remain, larger first, simplest model first."""
    clusters: dict[int, list[int]] = {index: [index] for index in range(len(forms))}
    for step, (a, b, _, _) in enumerate(linkage[: max(len(forms) - n_groups, 0)]):
        clusters[len(forms) + step] = sorted(clusters.pop(int(a)) + clusters.pop(int(b)))
    ordered_members = (simplest_first(list(map(forms.__getitem__, m))) for m in clusters.values())
    groups = sorted(ordered_members, key=lambda members: (-len(members), members))
    names = list(map(name_of, groups))
    # Two groups of one family differ in their simplest members.
    return [
        (f"{name}, as {group[0]}" if names.count(name) > 1 else name, group)
        for name, group in zip(names, groups, strict=True)
    ]


def family(form: str) -> str:
    """What people call a model and those like it; the model's own name where it is like no other."""
    own_family = next((name for name, forms in _OWN.items() if form in forms), "")
    return own_family or _FAMILIES.get(str(model_info(form).category), form)


def simplest_first(members: Sequence[str]) -> tuple[str, ...]:
    """Models by how many parameters they have; of as many, those of the commonest family first."""
    families = [family(form) for form in members]
    size = {
        form: sum(p.type != "orientation" for p in model_info(form).parameters.kernel_parameters)
        for form in members
    }
    return tuple(sorted(members, key=lambda form: (size[form], -families.count(family(form)), form)))


def name_of(members: Sequence[str]) -> str:
    """A group's name: its commonest families, at most two; that of its only model where it has one."""
    if len(members) == 1:
        return members[0]
    families = [family(form) for form in members]
    common = sorted(dict.fromkeys(families), key=lambda name: -families.count(name))
    common_names = [name for name in common if families.count(name) >= _NAMED * len(members)][:2]
    return join_names(" and ".join(common_names).split(" and "))


def finish(trained: Trained, held_out: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """Group the form models by what the network confuses; write ``seeds.npz``, where fits start."""
    from scipy.special import softmax

    head = trained.heads[0]
    assert isinstance(head, Classes)
    truth = held_out.targets[head.name]
    is_known = truth >= 0
    inputs = {name: values[is_known] for name, values in held_out.inputs.items()}
    logits = trained.answers(inputs)[head.name].astype(np.float64)
    probability = softmax(logits / calibration[head.name]["temperature"], axis=1)
    confusion = mutual_confusion(probability, truth[is_known])
    linkage = link(confusion)
    groups = tuple(Group(name, members) for name, members in cut(linkage, head.labels))
    bank = trained.target / "seeds.npz"
    build_bank(trained.data, bank)
    return Finished(
        heads=(replace(head, groups=groups), *trained.heads[1:]),
        metrics={"linkage": [[round(float(x), 5) for x in row] for row in linkage]},
        files=(bank,),
        summary=f"{len(head.labels)} models in {len(groups)} groups",
    )
