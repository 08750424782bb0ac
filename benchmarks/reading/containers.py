"""Files that are not columns of text: canSAS XML, NXcanSAS and other HDF5, sasCIF, packed and binary ones."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import h5py
import numpy as np

from .samples import Array, File, Measurement, Truth
from .units import ASSUMED, PER_M, PER_NM, PER_UM, text

SLIT = 0.03
#: Processed data: groups with classes, suffix, axis, its unit, signal. The unit alone says that pyFAI's polar
#: angle is q.
DAWN = "processed:NXentry/result:NXdata", ".nxs", "q", "1/nm", "data"
MONOPD = "entry:NXentry:NXmonopd/results:NXdata", ".nxs", "polar_angle", "q_nm^-1", "data"
BM29 = "entry_0000:NXentry/4_azimuthal_integration:NXprocess/results:NXdata", ".h5", "q", "nm^-1", "I"


def idata(t: Truth, unit: str, scale: float, extra: str = "", values: Array | None = None) -> str:
    """Points of canSAS XML; ``extra`` follows each, with its value."""
    columns = t.q, t.intensity, t.error, 0 * t.q if values is None else values
    return "".join(
        f'<Idata><Q unit="{unit}">{q * scale:.8g}</Q><I unit="1/cm">{i:.8g}</I>'
        f'<Idev unit="1/cm">{e:.7g}</Idev>{extra.format(value)}</Idata>\n'
        for q, i, e, value in zip(*columns, strict=True)
    )


def root(entries: str, version: str = "1.1") -> str:
    """The frame of canSAS XML."""
    space = "urn:cansas1d:1.1" if version == "1.1" else "cansas1d/1.0"
    return f'<?xml version="1.0"?>\n<SASroot version="{version}" xmlns="{space}">\n{entries}\n</SASroot>\n'


def entry(body: str, title: str = "sample", more: str = "") -> str:
    frame = f"<SASentry><Title>{title}</Title><Run>1</Run><SASdata>\n{body}</SASdata>"
    return frame + f"<SASsample><ID>x</ID></SASsample>{more}<SASnote/></SASentry>"


def cansas(unit: str, scale: float, version: str, m: Measurement) -> File:
    """One data set of canSAS 1D."""
    t = m.truth.pinhole_less
    return File(".xml", root(entry(idata(t, unit, scale)), version).encode(), ((t,),))


def cansas_bare(space: str, m: Measurement) -> File:
    """Without a unit of Q, or without a namespace."""
    t = m.truth.pinhole_less
    content = root(entry(idata(t, "1/nm", PER_NM)))
    if space == "unit":
        content = root(entry(idata(t, "1/nm", 1.0))).replace('<Q unit="1/nm">', "<Q>")
        return File(".xml", content.encode(), ((t,),), ("unit",), says=ASSUMED)
    return File(".xml", content.replace(' xmlns="urn:cansas1d:1.1"', "").encode(), ((t,),), ("cansas", "xml"))


def cansas_resolution(unit: str, scale: float, m: Measurement) -> File:
    """Q in 1/nm, with Qdev in a unit of its own."""
    t = m.truth
    points = idata(t, "1/nm", PER_NM, f'<Qdev unit="{unit}">{{:.7g}}</Qdev>', scale * np.asarray(t.dq))
    return File(".xml", root(entry(points)).encode(), ((t,),))


def plain_hdf5(m: Measurement) -> File:
    """Two columns at the root, nothing of NeXus."""
    t = m.truth.pinhole_less

    def write(file: Any) -> None:
        file["q"], file["I"], file["sigma"] = t.q * PER_NM, t.intensity, t.error
        file["q"].attrs["units"] = "1/nm"

    return File(".h5", hdf5(write), ((t,),), ("nexus", "nxcansas", "hdf5"))


def cansas_slit(where: str, m: Measurement) -> File:
    """A slit, as a column or in the collimation."""
    t = replace(m.truth.pinhole_less, slit=SLIT)
    column = f'<dQw unit="1/A">0</dQw><dQl unit="1/A">{SLIT}</dQl>' if where == "column" else ""
    more = ""
    if where == "collimation":
        more = "<SASinstrument><name>USAXS</name><SASsource><radiation>x-ray</radiation></SASsource>"
        more += '<SAScollimation name="slit"><length unit="mm">1</length></SAScollimation>'
        more += "<SASdetector><name>d</name></SASdetector></SASinstrument>"
        more += "<SASprocess><name>reduction</name>"
        more += f'<term name="slit_length" unit="1/A">{SLIT}</term></SASprocess>'
    return File(".xml", root(entry(idata(t, "1/A", 1.0, column), more=more)).encode(), ((t,),))


def cansas_several(m: Measurement) -> File:
    t = m.truth.pinhole_less
    second = Truth(t.q, 2 * m.model + t.error, 1.2 * t.error)
    body = entry(idata(t, "1/nm", PER_NM), "A") + entry(idata(second, "1/A", 1.0), "B")
    return File(".xml", root(body).encode(), ((t, second),))


def hdf5(write: Callable[[h5py.File], None]) -> bytes:
    """A file in memory."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        write(file)
    return held.getvalue()


def group(parent: Any, name: str, kind: str, canSAS: str = "", **attributes: Any) -> Any:
    made = parent.create_group(name)
    made.attrs["NX_class"] = kind
    if canSAS:
        made.attrs["canSAS_class"] = canSAS
    for key, value in attributes.items():
        made.attrs[key] = value
    return made


def sas_entry(
    file: Any, name: str, columns: Mapping[str, Any], attributes: Mapping[str, Mapping[str, Any]],
    layout: Mapping[str, Any], *, plain: bool = False, packed: Mapping[str, Any] | None = None,
) -> Any:  # fmt: skip
    """An entry of these data sets, and its NXdata; plain: without the names of canSAS."""
    classes = ("", "") if plain else ("SASentry", "SASdata")
    held = group(file, name, "NXentry", classes[0], **({} if plain else {"version": "1.1"}))
    held["title"] = "sample"
    if not plain:
        held["definition"], held["run"] = "NXcanSAS", "1"
    data = group(held, "sasdata01", "NXdata", classes[1], signal="I", I_axes="Q", Q_indices=np.int32(0))
    data.attrs.update(dict(layout))
    for key, values in columns.items():
        if values is not None:
            data.create_dataset(key, data=values, **(packed or {})).attrs.update(attributes.get(key, {}))
    return data


def nxcansas_entry(
    file: Any, name: str, t: Truth, unit: str | None, scale: float, packed: dict[str, Any]
) -> None:
    slit = {} if t.slit is None else {"dQl": np.full(t.q.size, t.slit), "dQw": np.zeros(t.q.size)}
    of_q = {"Q": t.q, "Qdev": t.dq} | slit
    columns = {key: values if values is None else scale * values for key, values in of_q.items()}
    units = dict.fromkeys(of_q, {"units": unit} if unit else {}) | dict.fromkeys(
        ("I", "Idev"), {"units": "1/cm"}
    )
    columns |= {"I": t.intensity, "Idev": t.error}
    data = sas_entry(file, name, columns, units, {}, packed=packed)
    if t.error is not None:
        data.attrs["I_uncertainties"] = data["I"].attrs["uncertainties"] = "Idev"
    if t.dq is not None or slit:
        data["Q"].attrs["resolutions"] = "dQl,dQw" if slit else "Qdev"


def nxcansas(unit: str | None, scale: float, kind: str, m: Measurement) -> File:
    """NXcanSAS, with that unit of q; silent where None."""
    t = {"plain": m.truth.pinhole_less, "dq": m.truth, "bare": m.truth.bare}.get(kind, m.truth.pinhole_less)
    t = replace(t, slit=SLIT) if kind == "slit" else t
    if kind == "angle":
        degrees = replace(t, q=np.degrees(2 * np.arcsin(t.q * 1.0332 / (4 * np.pi))))
        content = hdf5(lambda file: nxcansas_entry(file, "sasentry01", degrees, unit, 1.0, {}))
        return File(".h5", content, (), ("angle", "2θ", "wavelength", "unit"))
    packed: dict[str, Any] = {"gzip": {"compression": "gzip"}}.get(kind, {})
    if kind in ("bitshuffle", "lz4", "zstd", "blosc"):
        import hdf5plugin

        packed = dict({"bitshuffle": hdf5plugin.Bitshuffle, "lz4": hdf5plugin.LZ4,
                       "zstd": hdf5plugin.Zstd, "blosc": hdf5plugin.Blosc}[kind]())  # fmt: skip
    content = hdf5(lambda file: nxcansas_entry(file, "sasentry01", t, unit, scale, packed))
    silent = ASSUMED if unit is None else ()
    return File(".h5", content, ((t,),), says=silent, said=silent)


def nxcansas_several(m: Measurement) -> File:
    t = m.truth
    second = Truth(t.q[::2], 2 * m.model[::2] + t.error[::2], 1.2 * t.error[::2])

    def write(file: Any) -> None:
        nxcansas_entry(file, "sasentry01", t, "1/nm", PER_NM, {})
        nxcansas_entry(file, "sasentry02", second, "1/angstrom", 1.0, {})

    return File(".h5", hdf5(write), ((t, second),))


def azint(levels: tuple[float, ...], axis: str, m: Measurement) -> File:
    """NXazint1d, as pyFAI and MAX IV write it: intensities of frames against one radial axis."""
    t = m.truth.pinhole_less
    wavelength = 1.0332
    angle = axis == "2theta"

    def write(file: Any) -> None:
        held = group(file, "entry", "NXentry", default="data")
        held["definition"] = "NXazint1d"
        instrument = group(held, "instrument", "NXinstrument")
        mono = group(instrument, "monochromator", "NXmonochromator")
        mono["wavelength"] = wavelength
        mono["wavelength"].attrs["units"] = "angstrom"
        data = group(held, "data", "NXdata", signal="I", axes=[".", "radial_axis"], interpretation="spectrum")
        data["radial_axis"] = np.degrees(2 * np.arcsin(t.q * wavelength / (4 * np.pi))) if angle else t.q
        data["radial_axis"].attrs["units"] = "degrees" if angle else "1/angstrom"
        data["radial_axis"].attrs["long_name"] = axis
        data["I"] = np.array([level * t.intensity for level in levels])
        data["I"].attrs["units"] = "arbitrary units"
        data["I_errors"] = np.array([level * t.error for level in levels])
        data["norm"] = np.round(50 + 1000 * t.q)

    frames = tuple(Truth(t.q, level * t.intensity, level * t.error) for level in levels)
    asked = ("angle", "2θ", "wavelength") if angle else ()
    return File(".h5", hdf5(write), (frames,), asked)


def nexus(groups: str, suffix: str, axis: str, unit: str, signal: str, errors: str, m: Measurement) -> File:
    """Processed data in nested groups, "name:class:definition/…", the last an NXdata against q in nm⁻¹."""
    t = m.truth.pinhole_less

    def write(file: Any) -> None:
        held, names = file, [one.split(":") for one in groups.split("/")]
        file.attrs["default"] = "/".join(name for name, *_ in names)
        for name, kind, *definition in names:
            held = group(held, name, kind, **({"signal": signal, "axes": [axis]} if kind == "NXdata" else {}))
            if definition:
                held["definition"] = definition[0]
        held[axis], held[signal], held[errors] = t.q * PER_NM, t.intensity, t.error
        held[axis].attrs["units"] = unit

    return File(suffix, hdf5(write), ((t,),), ("nexus", "nxmonopd", "nxcansas", "hdf5"))


def sascif(m: Measurement) -> File:
    """SASBDB's sasCIF."""
    t = m.truth.pinhole_less
    head = "data_SASDXX\n_sas_scan.id 1\n_sas_scan.unit 1/nm\nloop_\n"
    fields = ("id", "scan_id", "momentum_transfer", "intensity", "intensity_su_counting")
    head += "".join(f"_sas_scan_intensity.{name}\n" for name in fields)
    n = np.arange(1.0, t.q.size + 1)
    rows = "".join(
        f"{int(k)} 1 {10 * q:.7e} {i:.7e} {e:.6e}\n"
        for k, q, i, e in zip(n, t.q, t.intensity, t.error, strict=True)
    )
    return File(".sascif", (head + rows + "#\n").encode(), ((t,),), ("cif",))


def gzipped(m: Measurement) -> File:
    """Text packed by gzip."""
    t = m.truth.pinhole_less
    rows = "# q(1/nm) I dI\n" + text([t.q * PER_NM, t.intensity, t.error])
    packed = gzip.compress(rows.encode(), mtime=0)
    return File(".dat.gz", packed, ((t,),), ("gzip", "compress", "unpack", "packed", "archive"))


def zipped(m: Measurement) -> File:
    """Text in an archive."""
    t, held = m.truth.pinhole_less, io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("a.dat"), "# q(1/nm) I dI\n" + text([t.q * PER_NM, t.intensity, t.error])
        )
    return File(".zip", held.getvalue(), ((t,),), ("zip", "compress", "unpack", "archive"))


def workbook(m: Measurement) -> File:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo("[Content_Types].xml"), '<?xml version="1.0"?><Types/>')
        archive.writestr(zipfile.ZipInfo("xl/workbook.xml"), "<workbook/>")
        archive.writestr(zipfile.ZipInfo("xl/worksheets/sheet1.xml"), "<worksheet><sheetData/></worksheet>")
    return File(".xlsx", held.getvalue(), (), ("workbook", "spreadsheet", "excel", "export"))


def otoko(m: Measurement) -> File:
    """BSL/OTOKO's header, whose numbers lie in another, binary file."""
    n = m.truth.q.size
    head = "Tue Jul 5 12:00\nsample\n" + "".join(f"{v:8d}" for v in (n, 1, 1, 0, 0, 0, 0, 0, 0, 0))
    return File("", (head + "\nA00001.A01\n").encode(), (), ("",))


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {
        "canSAS 1.0, 1/A": partial(cansas, "1/A", 1.0, "1.0"),
        "canSAS 1.1, 1/nm": partial(cansas, "1/nm", PER_NM, "1.1"),
        "canSAS 1.1, nm^{-1}": partial(cansas, "nm^{-1}", PER_NM, "1.1"),
        "canSAS 1.1, \\AA^{-1}": partial(cansas, "\\AA^{-1}", 1.0, "1.1"),
        "canSAS 1.1, Å^-1": partial(cansas, "Å^-1", 1.0, "1.1"),
        "canSAS 1.1, \\mathrm{nm}^{-1}": partial(cansas, "$\\mathrm{nm}^{-1}$", PER_NM, "1.1"),
        "canSAS 1.1, 1/um": partial(cansas, "1/um", PER_UM, "1.1"),
        "canSAS 1.1, 1/m": partial(cansas, "1/m", PER_M, "1.1"),
        "canSAS 1.1, inverse nanometres": partial(cansas, "inverse nanometre", PER_NM, "1.1"),
        "canSAS 1.1, Qdev in 1/nm": partial(cansas_resolution, "1/nm", PER_NM),
        "canSAS 1.1, Q in 1/nm, Qdev in 1/A": partial(cansas_resolution, "1/A", 1.0),
        "canSAS 1.1, no unit of Q": partial(cansas_bare, "unit"),
        "canSAS 1.1, no namespace": partial(cansas_bare, "namespace"),
        "HDF5 without NeXus": plain_hdf5,
        "canSAS 1.1, dQl": partial(cansas_slit, "column"),
        "canSAS 1.1, slit_length in the metadata": partial(cansas_slit, "collimation"),
        "canSAS 1.1, two entries in two units": cansas_several,
        "NXcanSAS 1/angstrom": partial(nxcansas, "1/angstrom", 1.0, "dq"),
        "NXcanSAS 1/A": partial(nxcansas, "1/A", 1.0, "plain"),
        "NXcanSAS 1/nm": partial(nxcansas, "1/nm", PER_NM, "dq"),
        "NXcanSAS nm^-1": partial(nxcansas, "nm^-1", PER_NM, "plain"),
        "NXcanSAS nm^{-1}": partial(nxcansas, "nm^{-1}", PER_NM, "plain"),
        "NXcanSAS angstrom^-1": partial(nxcansas, "angstrom^-1", 1.0, "plain"),
        "NXcanSAS 1/m": partial(nxcansas, "1/m", PER_M, "plain"),
        "NXcanSAS 1/um": partial(nxcansas, "1/um", PER_UM, "plain"),
        "NXcanSAS, pyFAI's 2th_deg": partial(nxcansas, "2th_deg", 0.0, "angle"),
        "NXcanSAS, no unit": partial(nxcansas, None, 1.0, "plain"),
        "NXcanSAS, no unit, nm⁻¹": partial(nxcansas, None, PER_NM, "plain"),
        "NXcanSAS, no uncertainties": partial(nxcansas, "1/nm", PER_NM, "bare"),
        "NXcanSAS, dQl": partial(nxcansas, "1/A", 1.0, "slit"),
        "NXcanSAS, gzip": partial(nxcansas, "1/A", 1.0, "gzip"),
        "NXcanSAS, bitshuffle": partial(nxcansas, "1/A", 1.0, "bitshuffle"),
        "NXcanSAS, LZ4": partial(nxcansas, "1/A", 1.0, "lz4"),
        "NXcanSAS, zstd": partial(nxcansas, "1/A", 1.0, "zstd"),
        "NXcanSAS, two entries in two units": nxcansas_several,
        "NXazint1d, q": partial(azint, (1.0,), "q"),
        "NXazint1d, 2θ, wavelength beside it": partial(azint, (1.0,), "2theta"),
        "NXazint1d, three frames": partial(azint, (1.0, 1.1, 1.3), "q"),
        "pyFAI NXmonopd, q in nm⁻¹": partial(nexus, *MONOPD, "errors"),
        "ESRF BM29 HDF5": partial(nexus, *BM29, "errors"),
        "DAWN .nxs, data_errors": partial(nexus, *DAWN, "data_errors"),
        "DAWN .nxs, errors": partial(nexus, *DAWN, "errors"),
        "sasCIF": sascif,
        "text packed by gzip": gzipped,
        "text in a .zip": zipped,
        "a workbook .xlsx": workbook,
        "BSL/OTOKO header": otoko,
    }
    return {f"container: {title}": way for title, way in found.items()}
