"""Fits for archives: sasCIF, columns of text, and a project for SASBDB.

One block of the measurement, then one of each fit, as SASBDB has it: ``_sas_model_fitting`` is known by its
ordinal alone. q is in 1/Å, lengths are in nm, in which the dictionary wants them. What only the author knows
stands there as ``?``, to be filled in.

Keys after SasView's data classes (github.com/SasView/sasview, pull requests 3912 and 4077, not yet released):
a project, samples with fits and models, instruments. As there, what is not known is left out, and lengths of
Guinier's law and p(r) are in nm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...files import MARK, check_output, put_whole
from ...model_free import Guinier, PairDistances
from ...names import describe_install
from ...types import SasnetError
from ...units import UNIT_OF_I
from ..summaries import distribution_of

if TYPE_CHECKING:
    from ...fitting.result.fit_result import FitResult
    from ...fitting.result.model_fit import ModelFit, Parameter


# --- A data set and its fits as sasCIF, in the names of the wwPDB's dictionary mmcif_sas.dic,
# --- version 0.6.

#: Å in a nm.
_NM = 10.0
#: What nobody but the author knows, by category: left as ``?``.
AUTHOR_ITEMS: dict[str, tuple[str, ...]] = {
    "sas_author": ("name",),
    "sas_scan": ("measurement_date", "exposure_time", "number_of_frames", "intensity_units", "type"),
    "sas_beam": ("type_of_source", "instrument_name", "instrument_city", "instrument_country",
                 "radiation_wavelength"),
    "sas_detc": ("name", "dist_spec_to_detc"),
    "sas_sample": ("details", "specimen_concentration", "cell_temperature"),
    "sas_buffer": ("name", "pH"),
    "sas_result": ("experimental_MW", "type_of_curve"),
}  # fmt: skip


def blank() -> list[str]:
    """Names of the items that an author has to fill in."""
    return [f"_{category}.{item}" for category, items in AUTHOR_ITEMS.items() for item in items]


def sascif(result: FitResult, name: str, known_by: str = "") -> bytes:
    """Return the file's text, blocks named `name` in plain letters. Raises SasnetError without gemmi."""
    try:
        from gemmi import cif
    except ImportError:
        raise SasnetError(f"gemmi is not installed; add it {describe_install('deposit')}") from None
    document = cif.Document()
    block = document.add_new_block(f"{name}_MAIN")
    for category, items in _main(result).items():
        _pairs(block, category, items)
    _loop(block, "sas_scan_intensity", _points(result))
    for number, fit in enumerate(result.fits, 1):
        block = document.add_new_block(f"{name}_FIT_{number}")
        details = {"id": number, "unit": "1/AA", "chi_square": fit.reduced_chisq}
        _pairs(block, "sas_model_fitting_details", details)
        _loop(block, "sas_model_fitting", _make_fit_rows(result, fit, number))
        _pairs(block, "sas_model", _model(fit, number))
    head = f"# sasCIF (mmcif_sas.dic 0.6), {MARK}; ? is for the author to fill in. {known_by}".rstrip()
    return f"{head}\n{document.as_string()}".encode("ascii")


def _main(result: FitResult) -> dict[str, dict[str, Any]]:
    """Items of the measurement, by category, with a ``?`` for each of the author's."""
    curve = result.curve
    sections: dict[str, dict[str, Any]] = {
        "sas_author": {"id": 1, "result_id": 1},
        "sas_scan": {
            "id": 1, "result_id": 1, "sample_id": 1, "beam_id": 1, "detc_id": 1,
            "title": curve.entry or None, "momentum_transfer_units": "1/AA",
        },
        "sas_beam": {"id": 1},
        "sas_detc": {"id": 1},
        "sas_sample": {"id": 1, "buffer_id": 1},
        "sas_buffer": {"id": 1},
        "sas_result": {"id": 1, **_sizes(result)},
    }  # fmt: skip
    return {
        category: items | dict.fromkeys(AUTHOR_ITEMS[category], None) for category, items in sections.items()
    }


def _sizes(result: FitResult) -> dict[str, Any]:
    """Rg, I0 and Dmax, as far as the curve gives them."""
    sizes: dict[str, Any] = {"length_units": "nm"}
    guinier, distances = result.model_free.guinier, result.pair_distances
    if isinstance(guinier, Guinier):
        first = int(np.searchsorted(result.curve.q, guinier.q_min * (1 - 1e-9))) + 1
        sizes |= {
            "Rg_from_Guinier": guinier.rg / _NM, "Rg_from_Guinier_error": guinier.rg_error / _NM,
            "I0_from_Guinier": guinier.i0, "I0_from_Guinier_error": guinier.i0_error,
            "Guinier_point_min": first,
            "Guinier_point_max": int(np.searchsorted(result.curve.q, guinier.q_max * (1 + 1e-9))),
        }  # fmt: skip
    if isinstance(distances, PairDistances):
        sizes |= {
            "Dmax": distances.d_max / _NM, "Dmax_error": distances.d_max_error / _NM,
            "Rg_from_PR": distances.rg / _NM, "Rg_from_PR_error": distances.rg_error / _NM,
            "I0_from_PR": distances.i0, "I0_from_PR_error": distances.i0_error,
        }  # fmt: skip
    return sizes


def _points(result: FitResult) -> dict[str, Iterable[Any]]:
    curve = result.curve
    columns: dict[str, Iterable[Any]] = {
        "id": range(1, len(curve) + 1), "scan_id": [1] * len(curve), "momentum_transfer": curve.q,
        "intensity": curve.intensity,
    }  # fmt: skip
    # One that was estimated from the scatter is none of the counting statistics.
    if curve.dintensity is not None and not curve.understated:
        columns["intensity_su_counting"] = curve.dintensity
    return columns


def _make_fit_rows(result: FitResult, fit: ModelFit, number: int) -> dict[str, Iterable[Any]]:
    points = len(result.curve)
    return {
        "id": [number] * points, "ordinal": range(1, points + 1), "momentum_transfer": result.curve.q,
        "intensity": result.curve.intensity, "fit": fit.theory,
    }  # fmt: skip


def _model(fit: ModelFit, number: int) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "id": number, "fitting_id": number, "type_of_model": f"{fit.short_name} of sasmodels",
        "software": "sasnet with sasmodels", "version": f"sasmodels {version('sasmodels')}",
        "comment": f"chi_square is the reduced one; {parameters_in_ascii(fit)}",
    }  # fmt: skip


def parameters_in_ascii(fit: ModelFit) -> str:
    """``radius = 50.1 +- 0.3 Ang; background = 0.01 1/cm (fixed)``."""
    return "; ".join(
        _format_ascii(name, p, distribution_of(fit, name, "")) for name, p in fit.parameters.items()
    )


def _format_ascii(name: str, p: Parameter, kind: str) -> str:
    error = "" if p.error is None else f" +- {p.error:.3g}"
    unit = "" if p.unit in ("", "None", UNIT_OF_I) else f" {p.unit}"
    remark = ", ".join(filter(None, [kind, "fixed" if p.fixed else ""]))
    return f"{name} = {float(p.value):.8g}{error}{unit}{f' ({remark})' if remark else ''}"


def _pairs(block: Any, category: str, items: Mapping[str, Any]) -> None:
    for item, value in items.items():
        block.set_pair(f"_{category}.{item}", _text(value))


def _loop(block: Any, category: str, columns: Mapping[str, Iterable[Any]]) -> None:
    loop = block.init_loop(f"_{category}.", list(columns))
    loop.set_all_values([[_text(value) for value in column] for column in columns.values()])


def _text(value: Any) -> str:
    """A value as CIF has it: ``?`` for none, quoted where it must be, in ASCII."""
    from gemmi import cif

    if value is None:
        return "?"
    if isinstance(value, (float, np.floating)):
        return repr(float(value)) if np.isfinite(value) else "?"
    return str(cif.quote(str(value).encode("ascii", "replace").decode().replace("\n", " ")))


# --- A project for SASBDB in JSON, of the keys that SasView's export to SASBDB writes.

#: Keys that SASBDB requires and only the author knows.
AUTHOR_KEYS = (
    "project.project_title (or pubmed_pmid and doi)",
    "molecule (long_name, fasta_sequence, monomer_mw_kda, number_of_molecules)",
    "buffer (description, ph)",
    "curve_type",
    "intensity_units",
    "experimental_molecular_weight",
    "experiment_date",
    "beamline_instrument",
    "instruments (source_type, beamline_name, synchrotron_name, detector_manufacturer, detector_resolution,"
    " city, country)",
)


def project(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole file; nothing here is known to be published."""
    return {"project": {"published": False}, "samples": samples}


def sample(result: FitResult, curve_file: str, fit_files: list[str], mark: str) -> dict[str, Any]:
    """Describe a data set and its fits by their files: columns q, I, dI, and q, I, dI, fit; `mark` says who
    wrote it, for want of a key.
    """
    curve = result.curve
    description: dict[str, Any] = {
        "sample_title": curve.entry or Path(curve.file).stem,
        "experimental_curve": curve_file,
        "angular_units": "1/A",
        "description": f"{result.headline} ({mark})".encode("utf-8", "replace").decode("utf-8"),
        "fits": [_fit(fit, name) for fit, name in zip(result.fits, fit_files, strict=True)],
    }
    guinier, distances = result.model_free.guinier, result.pair_distances
    if isinstance(guinier, Guinier):
        description["guinier"] = {
            "rg": guinier.rg / _NM, "rg_error": guinier.rg_error / _NM, "i0": guinier.i0,
        }  # fmt: skip
    if isinstance(distances, PairDistances):
        description["pddf"] = {
            "software": "Other", "dmax": distances.d_max / _NM, "dmax_error": distances.d_max_error / _NM,
            "rg": distances.rg / _NM, "rg_error": distances.rg_error / _NM, "i0": distances.i0,
        }  # fmt: skip
    return description


def _fit(fit: ModelFit, name: str) -> dict[str, Any]:
    from importlib.metadata import version

    program = {"software_version": f"sasmodels {version('sasmodels')}"}
    return {
        "software": "Other", **program, "fit_data": name, "angular_units": "1/A",
        "chi_squared": fit.reduced_chisq,
        "description": f"{fit.short_name}, fitted by sasnet; chi_squared is the reduced one",
        "models": [{"software_or_db": "other", **program,
                    "comment": f"{fit.short_name} of sasmodels: {parameters_in_ascii(fit)}"}],
    }  # fmt: skip


# --- What archives want of a fitted data set: sasCIF, columns of text, and a project for SASBDB of
# --- all.

PROJECT = "sasbdb.json"


@dataclass
class AllFiles:
    """Writes them data set after data set."""

    folder: Path  #: For the project of all.
    mark: str  #: By which the project is known (`files.check_output`).
    _samples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def project(self) -> Path:
        """The file of all data sets."""
        return self.folder / PROJECT

    def add(self, result: FitResult, start: Path, digest: str, *, force: bool = False) -> None:
        """Write what belongs to a data set, except what has this digest already."""
        curve = result.curve
        files: dict[str, tuple[NDArray[np.float64], ...]] = {
            f"{start.name}.dat": (curve.intensity, result.dintensity)
        }
        fits = {
            f"{start.name}.fit{number}.dat": (curve.intensity, result.dintensity, fit.theory)
            for number, fit in enumerate(result.fits, start=1)
        }
        files |= fits
        for name, columns in files.items():
            if _to_write(start.with_name(name), digest, force):
                content = _columns(digest, curve.q, *columns)
                put_whole(start.with_name(name), content, "columns of a curve")
        if find_spec("gemmi") and _to_write(path := start.with_name(f"{start.name}.sascif"), digest, force):
            put_whole(path, sascif(result, start.name, digest), "sasCIF file")
        self._samples.append(sample(result, f"{start.name}.dat", list(fits), self.mark))

    def close(self) -> list[str]:
        """Write the project; what is left for the author, a sentence each."""
        if not self._samples:
            return []
        text = json.dumps(project(self._samples), indent=2, ensure_ascii=False, allow_nan=False)
        put_whole(self.project, (text + "\n").encode("utf-8"), "project for SASBDB")
        notes = [f"{PROJECT}: fill in these before you deposit it: {', '.join(AUTHOR_KEYS)}."]
        if find_spec("gemmi"):
            notes.append(f"sasCIF: fill in these entries, marked by ?: {', '.join(blank())}.")
        else:
            notes.append(f"sasCIF is not written without gemmi; add it {describe_install('deposit')}")
        return notes


def _to_write(path: Path, digest: str, force: bool) -> bool:
    """Whether a file is missing or says something else; one that is not sasnet's is an error."""
    check_output(path, force=force)
    return not path.exists() or digest.encode("ascii") not in path.read_bytes()


def _columns(digest: str, *columns: NDArray[np.float64]) -> bytes:
    names = " ".join(("q(1/A)", "I", "dI", "fit")[: len(columns)])
    lines = [" ".join(repr(float(value)) for value in row) for row in zip(*columns, strict=True)]
    return "\n".join([f"# {MARK} {digest}", f"# {names}", *lines, ""]).encode("ascii")
