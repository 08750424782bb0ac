"""Images in HDF5 that are reduced to q: NXcanSAS in two dimensions, and Mantid's workspaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .... import units
from ....data import hdf5
from ....data.failure import too_large
from ....data.limits import LIMITS
from ....types import DataError
from .raw import RawSans


def _is(item: Any, *names: str) -> bool:
    class_names = [item.attrs.get(key, b"") for key in ("NX_class", "canSAS_class")]
    return any((x.decode() if isinstance(x, bytes) else str(x)) in names for x in class_names)


def canSAS(opened: Any) -> Iterator[tuple[str, str, Any]]:
    """Groups of NXcanSAS whose I has two dimensions, their entries' names and their own."""
    for name, entry in hdf5.members(opened):
        for own_name, group in hdf5.members(entry) if hasattr(entry, "items") else ():
            if hasattr(group, "items") and _is_two_dimensional(group):
                yield (name if len(opened) > 1 else ""), own_name, group


def _is_two_dimensional(group: Any) -> bool:
    if not _is(group, "SASdata", "NXdata") or "I" not in group or group["I"].ndim != 2:
        return False
    return {"Qx", "Qy"} <= set(group) or ("Q" in group and group["Q"].ndim == 3)


def from_canSAS(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    """Panels of one entry have names; what sees the same q is another measurement, not another panel."""
    entries: dict[str, list[tuple[str, RawSans]]] = {}
    for entry, name, group in canSAS(opened):
        entries.setdefault(entry, []).append((name, _read_reduced(group, entry, file)))
    for entry, found_group in entries.items():
        yield from _label_entry(entry, found_group)


def _label_entry(entry: str, named_raws: list[tuple[str, RawSans]]) -> Iterator[RawSans]:
    panels = not any(_alike(named_raws[0][1], raw) for _, raw in named_raws[1:])
    for name, raw in named_raws:
        if len(named_raws) == 1:
            yield raw
        elif panels:
            yield replace(raw, panel=name)
        else:
            yield replace(raw, entry="/".join(filter(None, (entry, name))))


def _alike(first: RawSans, second: RawSans) -> bool:
    if first.values.shape != second.values.shape:
        return False
    assert first.qx is not None
    assert second.qx is not None
    assert first.qy is not None
    assert second.qy is not None
    return bool(np.allclose(first.qx, second.qx) and np.allclose(first.qy, second.qy))


def _read_reduced(group: Any, entry: str, file: str) -> RawSans:
    values = values_of(group["I"], file)
    qx, qy = _q_of(group, file)
    if (qy.shape, qx.shape) == (values.shape[:1], values.shape[1:]):
        qx, qy = np.meshgrid(qx, qy)
    if qx.shape != values.shape or qy.shape != values.shape:
        raise DataError(f"{file}: Qx, Qy and I have different shapes; write the file again.")
    error = values_of(group["Idev"], file) if "Idev" in group else None
    bad = _bad(group, values, error, file)
    return RawSans(values, qx, qy, error, bad=bad, entry=entry)


def _bad(group: Any, values: NDArray[Any], error: NDArray[Any] | None, file: str) -> NDArray[np.bool_]:
    """Where there is no number, no uncertainty above zero, or the file's mask."""
    bad = ~np.isfinite(values)
    if error is not None:
        bad |= ~(error > 0)
    mask = hdf5.text(group.attrs.get("mask", "mask"))
    if mask in group and group[mask].shape == values.shape:
        bad |= values_of(group[mask], file) != 0
    return bad


def values_of(item: Any, file: str) -> Any:
    """What a data set holds, if that lies in this file and is of a size that images have."""
    if hdf5.is_outside(item) or item.file.filename != file:
        raise hdf5.not_followed(file, item.name)
    if item.size > 3 * LIMITS.pixels or hdf5.hollow(item):
        raise too_large(
            file, f"{item.size:,} values in {item.name}, by its header", "images of one measurement"
        )
    return np.asarray(item[()], dtype=np.float64)


def _convert_to_inverse_angstrom(item: Any, file: str) -> Any:
    unit = units.canonical(hdf5.text(item.attrs.get("units", "1/A")) or "1/A", "q")
    return values_of(item, file) * (1.0 if unit is None else units.FACTORS["q"][unit])


def mantid(opened: Any) -> Iterator[Any]:
    """Workspaces that Mantid has reduced to two dimensions of q."""
    for name, group in hdf5.members(opened):
        workspace = hdf5.member(group, "workspace") if name.startswith("mantid_workspace") else None
        if workspace is not None and all(_is_of_q(workspace, k) for k in (1, 2)):
            yield workspace


def _is_of_q(workspace: Any, number: int) -> bool:
    axis = hdf5.member(workspace, f"axis{number}")
    return axis is not None and hdf5.text(axis.attrs.get("units", "")) == "MomentumTransfer"


def from_mantid(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    for workspace in mantid(opened):
        values = values_of(workspace["values"], file)
        middles = []
        for axis, size in ((1, values.shape[1]), (2, values.shape[0])):
            q = np.ravel(values_of(workspace[f"axis{axis}"], file))
            middles.append((q[1:] + q[:-1]) / 2 if q.size == size + 1 else q)
        if [q.size for q in middles[::-1]] != list(values.shape):
            raise DataError(f"{file}: its axes have other lengths than its values; reduce it again.")
        error = values_of(workspace["errors"], file)
        qx, qy = np.meshgrid(*middles)
        yield RawSans(values, qx, qy, error, bad=~np.isfinite(values) | ~(error > 0))


def _q_of(group: Any, file: str) -> tuple[Any, Any]:
    if "Qx" in group:
        return _convert_to_inverse_angstrom(group["Qx"], file), _convert_to_inverse_angstrom(
            group["Qy"], file
        )
    stacked = _convert_to_inverse_angstrom(group["Q"], file)
    flat = [k for k in range(len(stacked)) if np.ptp(stacked[k]) > 0]
    qx, qy = stacked[flat[1] if len(flat) > 1 else 0], stacked[flat[0]]
    return (qy, qx) if np.ptp(qx[0]) < np.ptp(qx[:, 0]) else (qx, qy)
