"""Molecular weights and radii of gyration of measured proteins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sasnet_plugin.protein import MolecularWeight, Value, protein

from ..common import markdown
from ..proteins.measured import PROTEINS, read_curve
from .scores import share_right
from .section import Request, Row, Section, ask_peer, cpu_seconds

#: Mass (kDa) and Rg (Å) with their errors, of each curve; None where freesas finds no Guinier region.
_FREESAS = """
import json, sys
import numpy as np
from freesas.autorg import autoRg
from freesas.invariants import calc_Rambo_Tainer
found = {}
for name, columns in json.load(sys.stdin).items():
    data = np.array(columns).T.copy()
    try:
        region = autoRg(data)
        mass = calc_Rambo_Tainer(data, region)
        found[name] = [mass.mass / 1000, mass.sigma_mass / 1000, region.Rg, region.sigma_Rg]
    except Exception:
        found[name] = None
print(json.dumps(found))
"""


def section(request: Request) -> Section:
    curves = {known.name: read_curve(request.data, known) for known in PROTEINS}
    began = cpu_seconds()
    results = {name: protein(curve) for name, curve in curves.items()}
    seconds = (cpu_seconds() - began) / len(curves)
    freesas: dict[str, Any] = {}
    if request.peers:
        columns = {
            name: [column.tolist() for column in (c.q, c.intensity, c.dintensity) if column is not None]
            for name, c in curves.items()
        }
        freesas = ask_peer(request.peers, _FREESAS, columns)
    lines, pulls, ratios = [], {"sasnet": [], "freesas": []}, {"sasnet": [], "freesas": []}  # type: ignore[var-annotated]
    for known in PROTEINS:
        result, peer = results[known.name], freesas.get(known.name)
        mass, rg = result.molecular_weight, result.rg
        if isinstance(mass, MolecularWeight):
            ratios["sasnet"].append(math.log(mass.value / known.mass))
            pulls["sasnet"].append(ratios["sasnet"][-1] / mass.relative_error)
        if peer:
            ratios["freesas"].append(math.log(peer[0] / known.mass))
            pulls["freesas"].append((peer[0] - known.mass) / peer[1])
        lines.append([
            known.name, f"{known.mass:g}",
            f"{mass.value:.1f} ± {100 * mass.relative_error:.0f} %"
            if isinstance(mass, MolecularWeight) else "none",
            f"{peer[0]:.1f} ± {100 * peer[1] / peer[0]:.0f} %" if peer else "not run",
            f"{known.rg:g}" if known.rg else "",
            f"{rg.value:.2f} ± {rg.error:.2f}" if isinstance(rg, Value) else "none",
            f"{peer[2]:.2f} ± {peer[3]:.2f}" if peer else "not run",
        ])  # fmt: skip

    def within(name: str) -> str:
        right = [abs(pull) < 2 for pull in pulls[name]]
        return share_right(right + [False] * (len(PROTEINS) - len(right)))

    def typical_error(name: str) -> str:
        return f"{100 * float(np.median(np.abs(ratios[name]))):.0f} %"

    rows = [
        Row(task, "none", f"freesas: {score('freesas')}" if freesas else "not run", score("sasnet"), cost)
        for task, score, cost in (
            ("mass within two of its errors", within, seconds),
            ("median error of the mass", typical_error, None),
        )
    ]
    header = ["protein", "kDa", "sasnet", "freesas", "published Rg / Å", "sasnet", "freesas"]
    return Section(
        rows,
        markdown(header, lines),
    )
