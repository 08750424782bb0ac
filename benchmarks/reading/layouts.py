"""Abscissae by name, slits, frames, masks, units of I, pixels, indices, decimal commas, damaged values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .containers import group, hdf5
from .samples import Array, File, Measurement, Truth
from .units import text

SLIT = 0.04
#: Names of functions of q, and what stands in the column; q in Å⁻¹.
ABSCISSAE: dict[str, Callable[[Array], Array]] = {
    "sin(theta)/lambda": lambda q: q / (4 * np.pi),
    "sin(θ)/λ (1/nm)": lambda q: 10 * q / (4 * np.pi),
    "2 sin(theta)/lambda": lambda q: q / (2 * np.pi),
    "4 pi sin(theta)/lambda (1/A)": lambda q: q,
    "d*": lambda q: q / (2 * np.pi),
    "d* (1/nm)": lambda q: 10 * q / (2 * np.pi),
    "d*2_A^-2": lambda q: (q / (2 * np.pi)) ** 2,
    "d*2_nm^-2": lambda q: (10 * q / (2 * np.pi)) ** 2,
    "(d*)^2": lambda q: (q / (2 * np.pi)) ** 2,
    "1/d (1/A)": lambda q: q / (2 * np.pi),
    "q/2π": lambda q: q / (2 * np.pi),
    "q^3": lambda q: q**3,
    "q^4": lambda q: q**4,
    "log10(q.m)_None": lambda q: np.log10(1e10 * q),
    "log(q.nm)_None": lambda q: np.log(10 * q),
    "log(1+q.nm)_None": lambda q: np.log1p(10 * q),
    "log(1+q.A)_None": np.log1p,
    "log(1+q)": np.log1p,
    "log10(1+q)": lambda q: np.log10(1 + q),
    "arcsinh(q.nm)_None": lambda q: np.arcsinh(10 * q),
    "arcsinh(q.A)_None": np.arcsinh,
    "asinh(q)": np.arcsinh,
}
OTHERS = (
    "frame", "Frame number", "position", "x(mm)", "x (m)", "Energy (keV)", "E(eV)", "time(s)", "channel",
    "pixel", "r_mm", "strip", "theta_in", "Temperature", "q*Rg", "wavelength", "sin(2theta)", "chi_deg",
    "radius(nm)", "gain",
)  # fmt: skip

#: Names of tables in which another quantity is measured against another.
ELSEWHERE = (
    "delta(A) P dP", "tau(s) g2 err", "tau g2 err", "f(Hz) G dG", "strain[%] stress sigma_stress",
    "hw(meV) S err", "H(T) M M_err", "depth[nm] SLD dSLD",
)  # fmt: skip


def columns_of(truth: Truth) -> list[Array]:
    """Intensity and uncertainty."""
    assert truth.error is not None
    return [truth.intensity, truth.error]


def abscissa(name: str, form: Callable[[Array], Array], between: str, m: Measurement) -> File:
    """A function of q under its name."""
    t = m.truth.pinhole_less
    mark = m.pick("# ", "") if between == " " else ""
    name = name.replace(" ", "") if between == " " else name
    head = mark + between.join([name, "I", "sigma"]) + "\n"
    rows = text([form(t.q), *columns_of(t)], "%.10e", between)
    said = () if "4" in name and "sin" in name else ("converted", "calculated")
    return File(".dat", (head + rows).encode(), ((t,),), says=said, loose=True)


def other(name: str, between: str, m: Measurement) -> File:
    """Something else under its name, with numbers that q could have."""
    t = m.truth.pinhole_less
    name = name.replace(" ", "_") if between == " " else name
    head = between.join([name, m.pick("I", "intensity"), m.pick("sigma", "err")]) + "\n"
    rows = text([t.q * m.rng.uniform(0.5, 3.0), *columns_of(t)], "%.8e", between)
    return File(".dat", (head + rows).encode(), (), (name.lower(),))


def elsewhere(names: str, m: Measurement) -> File:
    """Another quantity against another, between single blanks, with numbers that q could have."""
    t = m.truth.pinhole_less
    rows = text([t.q * m.rng.uniform(0.5, 3.0), *columns_of(t)], "%.8e")
    return File(
        ".dat", (f"# {names}\n" + rows).encode(), (), ("its first column is", "not a known unit of q")
    )


def nxcansas(
    columns: Mapping[str, Any],
    attributes: Mapping[str, Mapping[str, Any]],
    layout: Mapping[str, Any],
    *,
    plain: bool,
) -> bytes:
    """One entry of these data sets."""

    def write(file: Any) -> None:
        entry = group(
            file, "sasentry01", "NXentry", **({} if plain else {"canSAS_class": "SASentry", "version": "1.1"})
        )
        entry["title"] = "sample"
        if not plain:
            entry["definition"] = "NXcanSAS"
        data = group(
            entry, "sasdata01", "NXdata", signal="I", **({} if plain else {"canSAS_class": "SASdata"})
        )
        data.attrs.update({"I_axes": "Q", "Q_indices": 0} | dict(layout))
        for name, values in columns.items():
            data[name] = values
            unit = {"Q": "1/angstrom", "I": "1/cm", "Idev": "1/cm"}.get(name)
            data[name].attrs.update(({"units": unit} if unit else {}) | dict(attributes.get(name, {})))

    return hdf5(write)


def slit(order: Any, width: float, m: Measurement, *, plain: bool, single: bool = False) -> File:
    """NXcanSAS with a slit, its length and width in this order, a value for each point or a single one."""
    t = replace(m.truth.pinhole_less, slit=SLIT)
    shape = () if single else t.q.shape
    columns = {
        "Q": t.q,
        "I": t.intensity,
        "Idev": t.error,
        "dQl": np.full(shape, SLIT),
        "dQw": np.full(shape, width),
    }
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
    rows = ""
    for k, (q, i, e) in enumerate(zip(t.q, *columns_of(t), strict=True)):
        nm = k >= part * t.q.size
        unit, value = ("1/nm", 10 * q if converted else q) if nm else ("1/A", q)
        rows += (
            f'<Idata><Q unit="{unit}">{value:.8e}</Q><I unit="1/cm">{i:.8e}</I>'
            f'<Idev unit="1/cm">{e:.8e}</Idev></Idata>\n'
        )
    whole = (
        '<?xml version="1.0"?>\n<SASroot version="1.1" xmlns="urn:cansas1d:1.1"><SASentry><Title>t</Title>'
        f"<Run>1</Run><SASdata>\n{rows}</SASdata></SASentry></SASroot>\n"
    )
    return File(".xml", whole.encode(), ((t,),) if converted else (), ("several units", "one unit"))


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


def _of_names() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {}
    for between, word in ((" ", "blanks"), ("\t", "tabs")):
        found |= {
            f"`{name}`, {word}": partial(abscissa, name, form, between) for name, form in ABSCISSAE.items()
        }
    found |= {f"`{name}`": partial(other, name, "\t") for name in OTHERS}
    found |= {f"`{names}`": partial(elsewhere, names) for names in ELSEWHERE}
    return {f"abscissa: {title}": way for title, way in found.items()}


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
    return _of_names() | _of_slits() | _of_containers() | _of_tables() | _of_damage()
