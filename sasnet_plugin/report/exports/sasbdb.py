"""A project for SASBDB in JSON, of the keys that SasView's export to SASBDB writes.

Keys after SasView's data classes (github.com/SasView/sasview, pull requests 3912 and 4077, not yet released):
a project, samples with fits and models, instruments. As there, what is not known is left out, and lengths of
Guinier's law and p(r) are in nm.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...model_free import Guinier, PairDistances
from .sascif import parameters_in_ascii

if TYPE_CHECKING:
    from ...fitting.result.fit_result import FitResult
    from ...fitting.result.model_fit import ModelFit

#: Å in a nm.
_NM = 10.0
#: Keys that SASBDB requires and only the author knows.
OF_THE_AUTHOR = (
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
