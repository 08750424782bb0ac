"""The tables of docs/sans_network.md: what small-angle-scattering samples and measurements are drawn from."""

from __future__ import annotations

from sasnet_plugin.images.sans import simulation
from sasnet_plugin.images.sans.simulation import INSTRUMENTS, UNLIKE

from .rows import quantities


def tables() -> str:
    """Return all tables."""
    p2, width, packing, apart = simulation.P2, simulation.WIDTH, simulation.PACKING, simulation.APART
    rows = ["| class | share | quantity | unit | drawn | meaning |", "|---|---|---|---|---|---|"]
    for name, share in simulation.SHARES.items():
        first = f"{name} | {share:.0%}"
        for key, prior in simulation.PRIORS[name].items():
            rows.append(f"| {first} | `{key}` | {prior.unit} | {prior.drawn} | {prior.text} |")
            first = " |"
    sides = ", ".join(f"`{key}` {low:g} to {high:g}" for key, (low, high) in simulation.BOX.items())
    rows.append(
        f"| unknown | {simulation.SHARES['unknown']:.0%} | | | | {simulation.BOXES:.0%} boxes ({sides}; Å,"
        f" then over the side before), the others one of {len(simulation.others())} models of"
        " sasmodels without a shape or of layers |"
    )
    return "\n\n".join(
        (
            "### Samples\n\n" + "\n".join(rows),
            "Of cylinders, ellipsoids and boxes"
            f" {simulation.ORIENTED:.0%} have a direction: {simulation.MAIER_SAUPE:.0%} of these by Maier"
            f" and Saupe with P₂ uniform {p2[0]:g} to {p2[1]:g} (in {simulation.ACROSS:.0%} -0.35 to -0.05,"
            f" across their director), the others Gaussian with σ loguniform {width[0]:g} to {width[1]:g}"
            " degrees; the director lies anywhere in the detector's plane.",
            "Radii are drawn anew at each use of a sample, a Bragg glass as a whole; boxes and others are"
            f" made {simulation.STRETCH[0]:g} to {simulation.STRETCH[1]:g} times as large.",
            f"Bodies keep apart in {simulation.INTERFERING:.0%} of samples: S(q) = 1/(1 + k θ) with"
            f" θ = 3 (sin qξ - qξ cos qξ)/(qξ)³, k loguniform {packing[0]:g} to {packing[1]:g} and ξ"
            f" loguniform {apart[0]:g} to {apart[1]:g} times 2π over the q of the first feature.",
            "### Instruments\n\n" + _instruments(),
            "Only D22's figures were checked, against its files; the others stand for instruments of their"
            " kind.",
            f"A setting is drawn of each with a distance loguniform; in {1 - UNLIKE:.0%} the collimation"
            " is the nearest to it. It is drawn again until its window begins below the sample's first"
            f" feature (its first minimum or spot) over {simulation.FAR:g}, and ends above"
            f" {simulation.NEAR:g} of it. One, two or three settings of a sample in"
            f" {', '.join(f'{x:.0%}' for x in simulation.SETTINGS)}.",
            "### Measurement\n\n" + quantities(simulation.MEASUREMENT),
            f"{simulation.SILENT:.0%} of images do not say how sharp their q is. Out of distribution:"
            f" {', '.join(simulation.SIMULATOR.kinds).replace('_', ' ')}.",
        )
    )


def _instruments() -> str:
    rows = [
        "| name | pixels | mm | wavelength / Å | spread | collimation / m | detector / m |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in INSTRUMENTS:
        rows.append(
            f"| {one.name} | {one.shape[1]} × {one.shape[0]} | {one.pixel[0]:g} × {one.pixel[1]:g}"
            f" | {one.wavelength[0]:g} to {one.wavelength[1]:g} | {one.spread[0]:g} to {one.spread[1]:g}"
            f" | {one.collimation[0]:g} to {one.collimation[-1]:g}"
            f" | {one.distance[0]:g} to {one.distance[1]:g} |"
        )
    return "\n".join(rows)
