"""What each tool answers, as plain objects: every number with its unit, its error and where it is from."""

from __future__ import annotations

import csv
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...files import check_output
from ...fitting.request import FileRequest
from ...fitting.result.model_fit import Parameter, drop_unused
from ...fitting.task import FitOptions, Pool
from ...service.answers import plain
from ...service.interactive import Evaluator, Place, check_name, compare_with_data, explain_model
from ...types import Curve, SasnetError
from .folders import Folders

if TYPE_CHECKING:
    from ...fitting.result.fit_result import FitResult
    from ...fitting.result.sample_result import SampleResult


Answer = dict[str, Any]
#: Points of a curve that an answer holds; more are thinned evenly in ln q.
_POINTS = 200
#: Values of q that are calculated at once.
_MOST = 100_000
#: Fits that can still be exported.
_KEPT = 32
#: Where numbers come from.
FITTED = "fitted to the data by bumps, with the model of sasmodels"
GIVEN = "given, not fitted"
ERROR = (
    "one standard deviation, from the derivatives of the residuals; for the best fit it includes other size"
    " distributions and fixed parameters, as far as the time limit allowed"
)


@dataclass
class Tools:
    """Answers, and the last fits."""

    folders: Folders
    _fits: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    _plans: dict[str, Any] = field(default_factory=dict)
    _count: int = 0

    def list_files(self, folder: str = "") -> Answer:
        """Files that may be read."""
        files = self.folders.list_files(folder)
        return {"folders": [str(p) for p in self.folders.allowed], "files": files}

    def read(self, file: str, request: FileRequest) -> Answer:
        """What a file holds."""
        return {
            "file": file,
            "data_sets": [
                {
                    "entry": curve.entry,
                    "points": len(curve),
                    "q_range": {"low": float(curve.q[0]), "high": float(curve.q[-1]), "unit": "1/Å"},
                    "q_unit": curve.q_unit.as_dict() | {"caution": curve.q_unit.doubt},
                    "has_uncertainties": curve.dintensity is not None,
                    "has_resolution": curve.dq is not None or curve.dxl is not None,
                    "notes": list(curve.notes),
                }
                for curve in self._curves(file, request)
            ],
        }

    def classify(self, file: str, request: FileRequest) -> Answer:
        """The network's answer."""
        from ...predict import open_classifier

        curve = self._one(file, request)
        classifier = open_classifier()
        suggestion = classifier.suggest([curve], top=request.top)[0]
        threshold = classifier.manifest.scope_threshold
        return {
            "file": file, "entry": curve.entry,
            "models": [
                {
                    "model": g.name, "structure_factor": g.structure_factor, "probability": g.probability,
                    "group": g.group,
                }
                for g in suggestion.models
            ],
            "groups": [
                {"name": g.name, "members": list(g.members), "probability": g.probability}
                for g in suggestion.groups
            ],
            "in_scope": suggestion.in_scope,
            "caution": ""
            if suggestion.in_scope >= threshold
            else "The curve is unlike all curves of the library. Perhaps no listed model fits it.",
            "source": "a calibrated neural network; nothing was fitted",
            "notes": list(suggestion.notes),
            **(_describe_particles(curve) if suggestion.in_scope < threshold else {}),
        }  # fmt: skip

    def model_free(self, file: str, request: FileRequest) -> Answer:
        """Numbers that need no model."""
        curve = self._one(file, request)
        return {
            "file": file, "entry": curve.entry, "units": {"length": "Å", "q": "1/Å"},
            "source": "the laws of Guinier and Porod and the peaks of the data; no model",
            **curve.model_free().as_dict(),
        }  # fmt: skip

    def protein(
        self,
        file: str,
        request: FileRequest,
        concentration: float | None,
        absolute: bool,
        monomer: float | None,
        structure: str | None,
    ) -> Answer:
        """Numbers of a protein in solution."""
        from ...protein import protein

        result = protein(
            self._one(file, request), concentration=concentration, absolute=absolute, monomer=monomer,
            structure=None if structure is None else str(self.folders.readable(structure)),
        )  # fmt: skip
        return result.as_dict() | {"file": file}

    def fit(
        self, pool: Pool, file: str, request: FileRequest, exchange: Mapping[str, str] | None = None
    ) -> Answer:
        """Fit one data set."""
        from ...fitting.api import fit_with
        from ...fitting.asked import check_names

        options, _ = self._options(request, exchange)
        check_names(options)
        result = fit_with(pool, self._one(file, request), options)
        return {"fit": self._keep(result), "file": file, **describe_fit(result)}

    def fit_together(
        self,
        pool: Pool,
        files: Sequence[str],
        request: FileRequest,
        solvents: Sequence[str | float] | None,
        kind: str | None,
        exchange: Mapping[str, str] | None = None,
    ) -> Answer:
        """Fit several curves of one sample."""
        from ...data.sample.described import sample_of
        from ...fitting.api import fit_sample
        from ...fitting.asked import check_names
        from ...materials import densities
        from ...planning.options import tie_exchanging

        options, parts = self._options(request, exchange)
        check_names(options)
        curves = [self._one(file, request) for file in files]
        if solvents is not None and len(solvents) != len(curves):
            raise SasnetError(f"{len(solvents)} solvents for {len(curves)} files; give one for each.")
        sample = sample_of(curves, _make_description(solvents, kind), sld=densities(request.wavelength))
        result = fit_sample(pool, tie_exchanging(sample, parts), options)
        name, answer = self._keep(result), plain(result.as_dict())
        if solvents is not None or kind is not None:  # no option says them, and a sample file is not there
            answer |= {
                "next": f"export of {name}, another tool",
                "purpose": "see all curves with their fits, and continue in SasView or Bumps",
            }
        return {"fit": name, **answer}

    def next_measurement(
        self, fit: str, question: Mapping[str, Any], plan: str | None, ended: Callable[[], bool],
        progress: Callable[[int, int], None], time_limit: float | None = None,
    ) -> Answer:  # fmt: skip
        """Which measurement would decide between the models that a fit leaves."""
        from ...planning.next_measurement import next_measurement
        from ...planning.options import plan_options

        options = plan_options({**question, "earlier": None if plan is None else self._plan(plan)})
        if "instrument" in options:
            options["instrument"] = self.folders.instrument(options["instrument"])
        answer = next_measurement(
            self._fit(fit), **options, ended=ended, progress=progress, time_limit=time_limit
        )
        name = f"plan{len(self._plans) + 1}"
        self._plans[name] = answer.as_dict()
        lines = answer.lines()
        kept = {k: v for k, v in self._plans[name].items() if k not in ("predictions", "notes")}
        return {"plan": name, "fit": fit, "lines": lines, **kept}

    def _plan(self, name: str) -> Any:
        if name not in self._plans:
            raise SasnetError(
                f"{name[:80]}: there is no such plan; give the name that next_measurement returned."
            )
        return self._plans[name]

    def evaluate(
        self,
        model: str,
        parameters: Mapping[str, float | str],
        file: str | None = None,
        request: FileRequest = FileRequest(),  # noqa: B008  it is frozen
        q: Sequence[float] | None = None,
    ) -> Answer:
        """I(q) of a model at given values, and χ² where a file is named."""
        curve = None if file is None else self._one(file, request)
        places = _places(q, curve)
        data = curve or Curve(places, np.ones_like(places))
        name = check_name(*_parts(model))  # no plugin: the values of one are only fitted
        theory = Evaluator().theory(Place(file or ""), data, name, parameters)
        answer: Answer = {
            "model": model, "parameters": dict(parameters), "q": thin(places, places), "q_unit": "1/Å",
            "intensity": thin(places, theory), "intensity_unit": "1/cm",
            "source": "calculated by sasmodels at these values; nothing was fitted",
        }  # fmt: skip
        if curve is not None:
            evaluation = compare_with_data(curve, theory)
            answer |= {key: evaluation[key] for key in ("reduced_chisq", "points", "note")}
        return answer

    def sld(self, material: str, probe: str = "neutron", wavelength: float | None = None) -> Answer:
        """A scattering length density."""
        from ...materials import scattering_length_density

        value = scattering_length_density(material, probe, wavelength)
        return {
            "material": material, "probe": probe, "sld": value, "unit": "1e-6/Å²",
            "source": "periodictable's tables; solvents at 25 °C",
        }  # fmt: skip

    def explain(self, model: str) -> Answer:
        """A model's page."""
        return explain_model(model)

    def batch_status(self, results: str) -> Answer:
        """How far a batch is, from its table."""
        rows = _table(self.folders.readable(results), results)
        failed = [row for row in rows if row["error"]]
        return {
            "results": results, "data_sets": len(rows), "answered": len(rows) - len(failed),
            "failed": len(failed), "first_errors": [row["error"] for row in failed[:5]],
        }  # fmt: skip

    def export(self, fit: str, folder: str) -> Answer:
        """Write a fit for SasView, Bumps and NXcanSAS, with its page."""
        from ...fitting.result.sample_result import SampleResult
        from ...report.exports.write_all import export, marks, write_sample
        from ...report.page.reports import write_report, write_sample_report

        result, place = self._fit(fit), self.folders.folder(folder)
        if isinstance(result, SampleResult):
            return {
                "written": [
                    str(p) for p in (*write_sample(result, place, fit), write_sample_report(result, place))
                ]
            }

        for path, mark in marks(result.curve, place).items():
            check_output(path, mark=mark)
        return {"written": [str(p) for p in (*export(result, place), write_report(result, place))]}

    def report(self, fit: str) -> str:
        """A fit's page."""
        import tempfile

        from ...fitting.result.sample_result import SampleResult
        from ...report.page.reports import write_report, write_sample_report

        result = self._fit(fit)
        with tempfile.TemporaryDirectory(prefix="sasnet-") as folder:
            write: Any = write_sample_report if isinstance(result, SampleResult) else write_report
            return Path(write(result, Path(folder))).read_text(encoding="utf-8")

    def picture(self, fit: str) -> bytes:
        """Data and fits of a fit as PNG."""
        import tempfile

        from ...report.canvas import save

        result = self._fit(fit)
        with tempfile.TemporaryDirectory(prefix="sasnet-") as folder:
            path = Path(folder) / "fit.png"
            save(lambda figure, _: result.plot(figure.subplots()), path, (6.0, 4.5))
            return path.read_bytes()

    def _fit(self, name: str) -> Any:
        if name not in self._fits:
            raise SasnetError(
                f"{name[:80]}: there is no such fit; fit first, and give the name that it returns."
            )
        return self._fits[name]

    def _keep(self, result: FitResult | SampleResult) -> str:
        self._count += 1
        name = f"fit{self._count}"
        self._fits[name] = result
        while len(self._fits) > _KEPT:
            self._fits.popitem(last=False)
        return name

    def _options(
        self, request: FileRequest, exchange: Mapping[str, str] | None
    ) -> tuple[FitOptions, dict[str, str] | None]:
        """How to fit, with whole paths of plugins, if these may run; and the parts that exchange hydrogen."""
        from ...fitting.asked import options_of
        from ...planning.options import fix_exchanging, plan_options

        models = None if request.models is None else self.folders.models(request.models)
        parts = plan_options({"exchange": exchange}).get("exchange")
        return fix_exchanging(options_of(replace(request, models=models)), parts), parts

    def _curves(self, file: str, request: FileRequest) -> list[Curve]:
        from ...data import load

        path = str(self.folders.readable(file))
        curves = load(path, q_unit=request.q_unit, entry=request.entry, wavelength=request.wavelength)
        return list(curves if request.window is None else [curve.within(*request.window) for curve in curves])

    def _one(self, file: str, request: FileRequest) -> Curve:
        curves = self._curves(file, request)
        if len(curves) > 1:
            names = ", ".join(repr(curve.entry) for curve in curves[:8])
            raise SasnetError(f"{file}: holds {len(curves)} data sets; name one as entry: {names}.")
        return curves[0]


def _describe_particles(curve: Curve) -> Answer:
    """Separate compact particles that are of no known model: a sentence and the numbers."""
    from ...predict.described import ParticlesFinding

    found = ParticlesFinding(curve)
    sentences = found.sentences()
    return {"particles": sentences[0], **plain(found.as_dict())} if sentences else {}


def describe_fit(result: FitResult) -> Answer:
    """A fit's answer: three lines first, then models with their parameters."""
    return {
        **plain(result.verdict.as_dict()),
        "fits": [
            {
                "model": fit.model, "structure_factor": fit.structure_factor,
                "weight": None if fit.given_up else fit.weight, "given_up": fit.given_up,
                "reduced_chisq": fit.reduced_chisq,
                "parameters": {n: parameter(p) for n, p in drop_unused(fit.parameters).items()},
            }
            for fit in result.fits[:5]
        ],
        "q_unit": result.curve.q_unit.as_dict(),
        **({"protein": plain(result.protein.values_as_dict())} if result.protein else {}),
        "notes": list(result.notes),
    }  # fmt: skip


def parameter(p: Parameter) -> Answer:
    """A value with its unit, its error and where both are from."""
    if p.fixed:
        return {"value": plain(p.value), "unit": p.unit, "error": None, "source": GIVEN}
    error = None if p.error is None or not math.isfinite(p.error) else p.error
    return {"value": plain(p.value), "unit": p.unit, "error": error, "source": f"{FITTED}; error: {ERROR}"}


def _parts(name: str) -> tuple[str, str | None]:
    model, _, factor = name.partition("@")
    return model, factor or None


def thin(q: np.ndarray, values: np.ndarray) -> list[float]:
    """Take at most `_POINTS` values, evenly by place."""
    places = np.unique(np.linspace(0, q.size - 1, min(_POINTS, q.size)).round().astype(int))
    return [float(v) for v in values[places]]


def _places(q: Sequence[float] | None, curve: Curve | None) -> NDArray[np.float64]:
    """q, 1/Å: of a curve, else as asked for, or usual ones."""
    if q is not None and len(q) > _MOST:
        raise SasnetError(f"q holds {len(q):,} values; give at most {_MOST:,}.")
    if curve is not None:
        return curve.q
    if q is None:
        return np.geomspace(0.001, 0.5, _POINTS)
    places = np.asarray(q, dtype=float)
    if places.size == 0 or not np.all(np.isfinite(places) & (places > 0)):
        raise SasnetError("q must be positive numbers in 1/Å; give at least one, or name a file.")
    return places


def _make_description(solvents: Sequence[str | float] | None, kind: str | None) -> dict[str, Any]:
    """What is said of curves of one sample, as a sample file has it."""
    described: dict[str, Any] = {}
    if solvents is not None:
        described["solvents"] = {str(i): value for i, value in enumerate(solvents, start=1)}
    if kind is not None:
        described["kind"] = kind
    return described


def _table(path: Path, results: str) -> list[dict[str, str]]:
    if path.suffix.lower() != ".csv":
        raise SasnetError(f"{results}: give the .csv table of the batch; it is next to the .h5 file.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and "error" not in rows[0]:
        raise SasnetError(f"{results}: is not a table of 'sasnet batch'.")
    return rows
