"""Slits, frames, masks, units of I, pixels, indices, decimal commas, damaged values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .containers import entry, hdf5, idata, root, sas_entry
from .samples import Array, File, Measurement, Truth
from .units import text

SLIT = 0.04


def columns_of(truth: Truth) -> list[Array]:
    """Intensity and uncertainty."""
    assert truth.error is not None
    return [truth.intensity, truth.error]


def nxcansas(
    columns: Mapping[str, Any], attributes: Mapping[str, Mapping[str, Any]], layout: Mapping[str, Any],
    *, plain: bool,
) -> bytes:  # fmt: skip
    """One entry of these data sets."""
    units = {"Q": "1/angstrom", "I": "1/cm", "Idev": "1/cm"}
    every = {key: {"units": unit} | dict(attributes.get(key, {})) for key, unit in units.items()}
    return hdf5(lambda file: sas_entry(file, "sasentry01", columns, every, layout, plain=plain))


def slit(order: Any, width: float, m: Measurement, *, plain: bool, single: bool = False) -> File:
    """NXcanSAS with a slit, its length and width in this order, a value for each point or a single one."""
    t = replace(m.truth.pinhole_less, slit=SLIT)
    shape = () if single else t.q.shape
    columns = {
        "Q": t.q, "I": t.intensity, "Idev": t.error, "dQl": np.full(shape, SLIT),
        "dQw": np.full(shape, width),
    }  # fmt: skip
    said = {"Q": {"resolutions": order}, "I": {"uncertainties": "Idev"}}
    return File(".h5", nxcansas(columns, said, {}, plain=plain), ((t,),))


def usans(header: str, ending: str, m: Measurement) -> File:
    """Six columns of NIST's USANS."""
    t = replace(m.truth.pinhole_less, slit=SLIT)
    minus = np.full(t.q.size, -SLIT)
    rows = text([t.q, *columns_of(t), minus, minus, minus], m.digits(6, 9))
    return File(ending, (header + rows).encode(), ((t,),), loose=True)


def text_slit(names: tuple[str, str], m: Measurement, *, width_first: bool) -> File:
    """Columns of a slit by name."""
    t = replace(m.truth.pinhole_less, slit=SLIT)
    long, wide = (names[0], np.full(t.q.size, SLIT)), (names[1], np.full(t.q.size, 1e-5))
    pair = (wide, long) if width_first else (long, wide)
    head = "\t".join(["q (1/A)", "I", "dI", pair[0][0], pair[1][0]]) + "\n"
    return File(
        ".dat", (head + text([t.q, *columns_of(t), pair[0][1], pair[1][1]], "%.8e", "\t")).encode(), ((t,),)
    )


def frames(axis: str, m: Measurement, *, first: bool) -> File:
    """I(frame, Q) or I(Q, frame)."""
    t, levels = m.truth.pinhole_less, np.array([1.0, 1.4, 0.6, 2.0])
    i, e = (levels[:, None] * values for values in columns_of(t))
    layout = {"I_axes": [axis, "Q"], "Q_indices": 1} if first else {"I_axes": ["Q", axis], "Q_indices": 0}
    columns = {"Q": t.q, "I": i if first else i.T, "Idev": e if first else e.T, axis: np.arange(4.0)}
    every = tuple(Truth(t.q, level * t.intensity, level * columns_of(t)[1]) for level in levels)
    return File(".h5", nxcansas(columns, {"I": {"uncertainties": "Idev"}}, layout, plain=False), (every,))


def mask(kind: str, name: str, m: Measurement) -> File:
    """Bad points that a mask excludes."""
    t = m.truth.pinhole_less
    bad = np.zeros(t.q.size, dtype=bool)
    bad[m.rng.choice(t.q.size, 5, replace=False)] = True
    intensity = np.where(bad, 20 * t.intensity.max(), t.intensity)
    columns = {"Q": t.q, "I": intensity, "Idev": t.error, name: bad.astype(kind)}
    content = nxcansas(columns, {}, {"mask": name}, plain=False)
    return File(".h5", content, ((t.rows(~bad),),), says=("mask",))


def unit_of_i(unit: str, factor: float, m: Measurement, *, form: str) -> File:
    """The intensity in a unit of its own; a note says what became of it."""
    t = m.truth.pinhole_less
    i, e = (factor * values for values in columns_of(t))
    said = () if factor == 1.0 and "cm" in unit else ("cm⁻¹", unit.lower())
    if form == "text":
        head = f"q (1/A)\tI ({unit})\tdI ({unit})\n"
        return File(".dat", (head + text([t.q, i, e], "%.8e", "\t")).encode(), ((t,),), says=said)
    attributes = {"I": {"units": unit}, "Idev": {"units": unit}}
    return File(
        ".h5", nxcansas({"Q": t.q, "I": i, "Idev": e}, attributes, {}, plain=False), ((t,),), says=said
    )


def pixels(between: str, m: Measurement, *, slow_first: bool) -> File:
    """An image as rows qx qy I err, without a word."""
    x = np.linspace(-0.2, 0.2, int(m.rng.integers(20, 40))) + m.rng.uniform(-0.003, 0.003)
    qx, qy = np.meshgrid(x, x, indexing="ij" if slow_first else "xy")
    q = np.maximum(np.hypot(qx, qy), 1e-3)
    i = np.interp(q, m.truth.q, m.model)
    rows = text([qx.ravel(), qy.ravel(), i.ravel(), 0.1 * i.ravel()], "%.6e", between)
    return File(".dat", rows.encode(), (), ("two-dimensional", "image"))


def index(header: str, between: str, first: int, m: Measurement) -> File:
    """The points' numbers in front."""
    t = m.truth.pinhole_less
    lines = text([t.q, *columns_of(t)], "%.7e", between).splitlines()
    numbered = "\n".join(f"{first + k}{between}{line}" for k, line in enumerate(lines))
    return File(".csv", (header + numbered + "\n").encode(), ((t,),), loose=True)


def decimal_commas(between: str, form: str, m: Measurement) -> File:
    """Decimal commas, and commas or others between the numbers."""
    t = m.truth.pinhole_less
    rows = text([t.q, *columns_of(t)], form, "|").replace(".", ",").replace("|", between)
    return File(".csv", rows.encode(), ((t,),), ("commas",), loose=True)


def mixed_xml(part: float, m: Measurement, *, converted: bool) -> File:
    """CanSAS XML whose points have q in two units."""
    t = m.truth.pinhole_less
    in_nm = np.arange(t.q.size) >= part * t.q.size
    points = idata(t.rows(~in_nm), "1/A", 1.0) + idata(t.rows(in_nm), "1/nm", 10.0 if converted else 1.0)
    content = root(entry(points)).encode()
    return File(".xml", content, ((t,),) if converted else (), ("several units", "one unit"))


def damaged(column: str, change: Callable[[float], float], form: str, m: Measurement) -> File:
    """One value in the middle damaged: that point is excluded, and a note says so."""
    t = m.truth.pinhole_less
    n = t.q.size
    k = int(m.rng.integers(n // 4, n // 2))
    values = {"Q": t.q.copy(), "I": t.intensity.copy(), "Idev": columns_of(t)[1].copy()}
    if column == "Q and I":
        values["Q"][k], values["I"][k] = values["I"][k], values["Q"][k]
    else:
        values[column][k] = change(values[column][k])
    kept = np.arange(n) != k
    right = ((t.rows(kept),),)
    if form == "NXcanSAS":
        return File(".h5", nxcansas(values, {}, {}, plain=False), right, says=("damaged",))
    head = "# q (1/A)  I (1/cm)  dI (1/cm)\n"
    return File(".dat", (head + text(list(values.values()), "%.8e")).encode(), right, says=("damaged",))


ORDERS = {
    "length, width": ["dQl", "dQw"],
    "width, length": ["dQw", "dQl"],
    "one text, width first": "dQw,dQl",
    "one text, length first": "dQl, dQw",
}
USANS = {
    "COR's header": "COR FILES: A1,A2\nCREATED: today\nLABEL: own\nEMP LEVEL: 0.7 ; BKG LEVEL: 0.6\n",
    "no header": "",
    "names of SANS": "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | sigmaQ | meanQ |"
    " ShadowFactor|\n",
    "-dQv": "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | -dQv | -dQv | -dQv|\n",
    "-dQv, short": "# Q I dI -dQv -dQv -dQv\n",
}


def _of_slits() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {}
    for title, order in ORDERS.items():
        for width in (1e-5, 0.0):
            for plain in (False, True):
                where = "NeXus" if plain else "NXcanSAS"
                found[f"{where}, {title}, width {width:g}"] = partial(slit, order, width, plain=plain)
        found[f"NXcanSAS, {title}, single numbers"] = partial(slit, order, 0.0, plain=False, single=True)
    for title, header in USANS.items():
        for ending in (".cor", ".txt", ".abs"):
            found[f"USANS, {title}, {ending}"] = partial(usans, header, ending)
    for names in (("dQl", "dQw"), ("dxl", "dxw"), ("slit_length", "slit_width")):
        for first in (False, True):
            found[f"columns {names[0]}, {first}"] = partial(text_slit, names, width_first=first)
    return {f"slit: {title}": way for title, way in found.items()}


def _of_containers() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {}
    for axis in ("Time", "frame", "Temperature"):
        for first in (True, False):
            found[f"I({axis}, Q), {first}"] = partial(frames, axis, first=first)
    for kind in ("bool", "i1", "f8"):
        found[f"mask of {kind}"] = partial(mask, kind, "mask" if kind != "i1" else "bad")
    for form in ("text", "NXcanSAS"):
        for unit, factor in (("1/m", 100.0), ("m^-1", 100.0), ("1/mm", 0.1), ("counts", 1.0), ("a.u.", 1.0)):
            found[f"I in {unit}, {form}"] = partial(unit_of_i, unit, factor, form=form)
    for part in (0.1, 0.5):
        for converted in (True, False):
            found[f"XML in two units from {part}, {converted}"] = partial(
                mixed_xml, part, converted=converted
            )
    return {f"layout: {title}": way for title, way in found.items()}


def _of_tables() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {}
    for between, word in ((" ", "blanks"), ("\t", "tabs"), (",", "commas")):
        found[f"pixels, {word}"] = partial(pixels, between, slow_first=between == "\t")
    for first in (0, 1, 37):
        found[f"index from {first}, named i"] = partial(index, "# i q (1/A) I dI\n", " ", first)
        found[f"index from {first}, CSV"] = partial(index, ",q,I,dI\n", ",", first)
        found[f"index from {first}, no names"] = partial(index, "", " ", first)
        found[f"index from {first}, no names below a unit"] = partial(index, "# q in 1/A\n", " ", first)
    for between in (",", ", ", ";", "\t", " "):
        found[f"decimal commas between {between!r}"] = partial(decimal_commas, between, "%.7e")
    found["decimal commas between commas, no exponents"] = partial(decimal_commas, ",", "%.9f")
    return {f"table: {title}": way for title, way in found.items()}


def _of_damage() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {}
    for form in ("text", "NXcanSAS"):
        for factor in (1e6, 1e3, 1e-6, -1.0):
            found[f"I times {factor:g}, {form}"] = partial(damaged, "I", lambda v, f=factor: v * f, form)
        for value in (1e-320, 1e-7, 5e4):
            found[f"q is {value:g}, {form}"] = partial(damaged, "Q", lambda v, f=value: f, form)
        found[f"I is 1e308, {form}"] = partial(damaged, "I", lambda v: 1e308, form)
        found[f"q and I swapped, {form}"] = partial(damaged, "Q and I", lambda v: v, form)
    return {f"damage: {title}": way for title, way in found.items()}


def ways() -> dict[str, Callable[[Measurement], File]]:
    return _of_slits() | _of_containers() | _of_tables() | _of_damage()
