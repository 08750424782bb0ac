"""An opened model: measurements of its kind in, an answer for each out; the same steps for every domain.

The exported network runs in ONNX Runtime on the CPU, in batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, median
from ..data.given import Given, curve_of, curves_of
from ..data.no_structure import constant, level, simple_shape
from ..data.raw import points
from ..digits import format_rounded
from ..domains import DEFAULT, Domain, Seen
from ..domains.heads import Classes, Inputs, Outputs, Parameter, Scope, outputs_of
from ..names import nearest
from ..noise import estimate_dintensity
from ..types import Curve, DataError, ModelGuess, ModelZooError, SasnetError, Suggestion
from ..wording import option
from ..workers.child import delay_interrupt
from ..workers.threads import release_freed_memory
from ..zoo import Manifest, ZooModel, open_model, zoo_folder
from .arithmetic import ask_network
from .class_prior import COMMON, check_prior
from .classes import ClassesFinding, restriction_note
from .decoding import Choice, add_stated, compute_in_scope, decode, select_for_class
from .described import SizeFinding
from .findings import Answer, QuantitiesFinding, Value
from .tags import probability_of_two

if TYPE_CHECKING:
    from ..workers.spread import Cluster


# --- Whether a curve can be assessed: its points, its uncertainties and its q range.

#: Of a curve that a simple shape explains, after its name.
NO_MODEL = "; such data hardly distinguish models, even if a probability is high."
FEW_POINTS = 25
#: Largest change of an uncertainty by rounding it to one digit.
_ROUNDING = 0.2


def check_curve(curve: Curve, inputs: Mapping[str, Any]) -> Seen:
    """Return the curve with notes on points outside the trained range (``q_range`` of the manifest, Å⁻¹), few
    points, or estimated uncertainties; raises as `check_points`.
    """
    check_points(curve)
    low, high = inputs["q_range"]
    return Seen(curve, tuple(_notes(curve, (low, high))))


def check_points(curve: Curve) -> None:
    """Raise DataError for points out of order, not finite, or negative uncertainties."""
    # Files are tidied on reading, arrays are not, and the grid needs order.
    name = curve.file or "the curve"
    if not (_ascends(curve.q) and np.all(np.isfinite(curve.intensity))):
        raise DataError(
            f"{name}: q must be positive and ascending, and q and intensity finite;"
            " sort the points and remove the others."
        )
    if curve.dintensity is not None and not np.all(curve.dintensity >= 0):
        raise DataError(
            f"{name}: dintensity must be a number, not negative, at each point;"
            " remove the other points, or omit dintensity to have it estimated."
        )


def _notes(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    notes = list(curve.notes)
    total = len(curve)
    inside = int(np.count_nonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1])))
    if inside < total:
        notes.append(
            f"{total - inside} of {total} points are outside the trained q range"
            f" ({q_range[0]:g} to {q_range[1]:g} Å⁻¹) and were not used."
        )
    if inside < FEW_POINTS:
        notes.append(f"Only {inside} points were used, so the probabilities are less reliable.")
    if curve.dintensity is None and not curve.errors_noted:
        notes.append("No uncertainties were given; they were estimated from the scatter of the points.")
    return [*notes, *_doubts(curve, q_range)]


def _ascends(q: Floats) -> bool:
    return bool(q.size and q[0] > 0 and np.all(np.diff(q) >= 0) and np.isfinite(q[-1]))


def _doubts(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    """What is to be said of the uncertainties, and of a curve from which no model can be told."""
    inside = (curve.q >= q_range[0]) & (curve.q <= q_range[1])
    if curve.dintensity is not None:
        inside &= curve.dintensity > 0
    used = np.flatnonzero(inside)
    if used.size < 4:
        return []
    points_used = points(curve, used)
    judgement = judge_uncertainties(points_used.intensity, points_used.dintensity)
    if judgement.hopeless:
        return [judgement.note + NO_MODEL]
    level_of = constant(points_used.q, points_used.intensity, points_used.dintensity)
    if level_of is not None:
        value = format_rounded(level_of.value, level_of.error, _ROUNDING)
        return [
            *[f"{judgement.note}."] * bool(judgement.note),
            f"No structure: a constant, {value}, fits this curve{NO_MODEL}",
        ]
    name = simple_shape(points_used.q, points_used.intensity, judgement.sigma)
    shape = f"{name} fits this curve within {judgement.against}" if name else level(points_used.intensity)
    return [f"{judgement.note}."] * bool(judgement.note) + [shape + NO_MODEL] * bool(shape)


@dataclass(frozen=True)
class ScatterSettings:
    """When uncertainties do not fit the points."""

    #: Uncertainties over scatter from which they are too large. Points that a program has interpolated or
    #: smoothed scatter two or three times less than counting gives, and are not meant.
    above: float = 5.0
    below: float = 3.0  #: Scatter over uncertainties from which these are too small.
    #: Part of neighbouring fourth differences of unlike sign above which noise and no curvature makes them:
    #: 0.8 for noise, next to none for a smooth curve.
    changes: float = 0.65
    #: Standard deviations that the twentieth part of the points exceeds at least, in a curve that shows more
    #: than noise.
    faint: float = 2.0
    points: int = 15  #: Fewer do not show their scatter.


SETTINGS = ScatterSettings()
# Fourth differences take out any local cubic. The median of |x| of a unit normal is 0.6745.
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_MEDIAN = 0.6745


@dataclass(frozen=True)
class Judged:
    """What is to be thought of uncertainties."""

    note: str  #: A sentence without its full stop about them; empty where they fit the points.
    sigma: Floats  #: (n,), what a claim about the curve may rest on.
    against: str  #: What that is, to follow "within".
    hopeless: bool = False  #: They are so large that nothing can be told.


def judge_uncertainties(intensity: Floats, sigma: Floats | None) -> Judged:
    """Compare uncertainties (or None) with the scatter of points and the intensity, ascending in q."""
    if sigma is None:
        scatter = estimate_dintensity(intensity)
        return Judged("", scatter, "the scatter of its points, which its uncertainties were estimated from")
    share = _scatter_share(intensity, sigma)
    if share < 1 / SETTINGS.above:
        times = "more than a hundred" if share < 0.01 else f"about {1 / share:.2g}"
        note = (
            f"The uncertainties are {times} times the scatter of the points; with them, wrong models"
            " would fit the curve as well"
        )
        return Judged(note, np.minimum(sigma, estimate_dintensity(intensity)), "the scatter of its points")
    relative = intensity / sigma
    # Where half of the points exceed it, the twentieth part does.
    if median(relative) < SETTINGS.faint and np.quantile(relative, 0.95) < SETTINGS.faint:
        note = "The uncertainties are as large as the intensities or larger"
        return Judged(note, sigma, "its uncertainties", hopeless=True)
    if share > SETTINGS.below:
        note = (
            f"The points scatter about {share:.2g} times as much as their uncertainties say; χ² will be"
            " large for the right model too"
        )
        return Judged(note, sigma, "its uncertainties")
    return Judged("", sigma, "its uncertainties")


def _scatter_share(intensity: Floats, sigma: Floats) -> float:
    """Scatter of the points over their uncertainties; 1 where curvature or few points hide it."""
    if intensity.size < SETTINGS.points:
        return 1.0
    differences = np.convolve(intensity, _FOURTH, "valid")
    expected = np.sqrt(np.convolve(sigma**2, _FOURTH**2, "valid"))
    share = median(np.abs(differences) / expected) / _MEDIAN
    changes = float(np.mean(differences[1:] * differences[:-1] < 0))
    return 1.0 if share > 1 and changes < SETTINGS.changes else share


#: Quantities that make a sample another one; resolutions or backgrounds beyond training only cost precision.
_SIZES = ("lattice", "radius", "spacing")


def describe_beyond_training(findings: Iterable[Any]) -> list[str]:
    """Sentences on sizes that lie beyond training by more than their errors."""
    # A network knows no larger sizes, but what it extrapolates is beyond the range as well: of lattices of
    # 450 and 510 Å it says 431 and 435, trained with up to 420.
    sentences = [
        _describe_excess(parameter, finding.present_values.get(parameter.name))
        for finding in findings
        if isinstance(finding, QuantitiesFinding)
        for parameter in finding.head.parameters
        if parameter.name in _SIZES
    ]
    return list(filter(None, sentences))


def _describe_excess(parameter: Parameter, value: Value | None) -> str:
    low, high = parameter.prior
    if value is None or (value.value - value.error <= high and value.value + value.error >= low):
        return ""
    return (
        f"{parameter.name} would be {value.value:.3g} {parameter.unit}, outside the training range of"
        f" this model, {low:g} to {high:g} {parameter.unit}."
    )


# --- An opened model: measurements of its kind in, an answer for each out; the same steps for every
# --- domain.

BATCH = 128  # measurements at once: enough to fill the cores, little enough to stay in their caches
FEW = 8  # copies of one at once: during a fit the network needs less memory than the fit


class Runtime:
    """An ONNX Runtime session of one exported network; threads None uses all allowed cores, `where` names the
    file in errors. Raises ModelZooError if it cannot run or has other inputs or outputs.
    """

    def __init__(
        self,
        onnx: bytes,
        *,
        outputs: Sequence[str],
        threads: int | None = None,
        where: str = "model.onnx",
    ) -> None:
        # Else it writes down who this machine is, and looks for a host; its API's switch comes too late.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        with delay_interrupt():
            import onnxruntime

        self._outputs = tuple(outputs)

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        # It keeps what the largest batch has needed; a small network, of one thread, is as quick without.
        options.enable_cpu_mem_arena = threads != 1
        options.log_severity_level = 3
        # Idle threads that spin would take the cores away from reading and preprocessing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exception classes share no public base
            reason = str(error).splitlines()[0]
            raise ModelZooError(
                f"{where}: ONNX Runtime {onnxruntime.__version__} cannot open this network ({reason});"
                " update onnxruntime or reinstall sasnet-plugin."
            ) from error
        self._inputs = tuple(node.name for node in self._session.get_inputs())
        output_names = {node.name for node in self._session.get_outputs()}
        if not output_names.issuperset(self._outputs):
            raise ModelZooError(
                f"{where}: the network's outputs {sorted(output_names)} are not the ones expected"
                f" ({', '.join(self._outputs)}); export it again with this sasnet."
            )
        self._where = where
        # The session holds a copy of its weights; the file would serve to start it on another device.
        self._session._model_bytes = None
        release_freed_memory()  # of the graph before it was optimised

    def run(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """Run the network on n >= 1 measurements (n, ...), float32; further inputs are ignored. Raises
        ModelZooError if one is missing.
        """
        if missing := set(self._inputs) - set(inputs):
            raise ModelZooError(
                f"{self._where}: the network needs {', '.join(sorted(missing))}, which are not among"
                f" the features; export it again with this sasnet."
            )
        n = len(inputs[self._inputs[0]])
        batches = [
            self._session.run(
                self._outputs, {name: inputs[name][start : start + BATCH] for name in self._inputs}
            )
            for start in range(0, n, BATCH)
        ]
        joined = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return dict(zip(self._outputs, joined, strict=True))


def available_cores() -> int:
    """Cores that this process may use (less than the machine's in a container or a batch job)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class UnknownModelError(SasnetError):
    """A model's name that means nothing to the network."""


@dataclass(frozen=True)
class Predictor:
    """A verified network, ready to run.

    Parameters
    ----------
    manifest : Manifest
        Heads with their labels, and what was calibrated.
    """

    domain: Domain
    manifest: Manifest
    runtime: Runtime

    @classmethod
    def load(cls, model: ZooModel) -> Predictor:
        """A model of the zoo, ready to run.

        Raises
        ------
        ModelZooError
            ONNX Runtime cannot run its graph.
        """
        names = tuple(outputs_of(model.manifest.heads))
        # Of curves: reading takes longer than the network, and a second thread costs a fifth more CPU time.
        threads = 1 if model.domain.name == DEFAULT else None
        runtime = Runtime(model.onnx, outputs=names, threads=threads, where=str(model.folder / "model.onnx"))
        return cls(model.domain, model.manifest, runtime)

    def choice(
        self,
        top: int = 5,
        models: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        prior: str = COMMON,
    ) -> Choice:
        """What is wanted of the classes, by their names, under a prior of `class_prior`.

        Raises
        ------
        UnknownModelError
            A name that is none of the classes (with the nearest one), no class is left, or there are none.
        """
        labels, frequency, with_given = self.manifest.labels, None, None
        if check_prior(prior) == COMMON and self.domain.class_prior:
            frequency = self.domain.class_prior(labels)
            if self.domain.given_prior:
                with_given = partial(self.domain.given_prior, labels)
        if models is None and exclude is None:
            return Choice(top, prior=frequency, given_prior=with_given)
        return Choice(top, self._keep(models, exclude), frequency, with_given)

    def _keep(self, models: Iterable[str] | None, exclude: Iterable[str] | None) -> NDArray[np.bool_]:
        """(labels,) of those that are considered."""
        labels = self.manifest.labels
        if not labels:
            raise UnknownModelError(
                f"{self.domain.title} have only one model; do not give {option('models')} or"
                f" {option('exclude')}."
            )
        kept_names = set(labels if models is None else self._check_known(models)) - set(
            self._check_known(exclude or ())
        )
        if not kept_names:
            raise UnknownModelError("All models are excluded; allow more models or exclude fewer.")
        return np.array([label in kept_names for label in labels])

    def _check_known(self, names: Iterable[str]) -> list[str]:
        names, labels = list(names), self.manifest.labels
        for name in names:
            if name not in labels:
                hint = nearest(name, labels, "give the name of a form factor as in sasmodels.")
                raise UnknownModelError(f"{name}: the network knows no such model; {hint}")
        return names

    def answers(self, measurements: Sequence[Any], choice: Choice | None = None) -> list[Answer]:
        """An answer for each measurement, in their order; run in batches.

        Raises
        ------
        DataError
            A measurement that cannot be assessed; the sentence names its file.
        """
        return self.answers_to(measurements, [choice or self.choice()])[0]

    def answers_to(self, measurements: Sequence[Any], choices: Sequence[Choice]) -> list[list[Answer]]:
        """Answer as `answers`, for each of several choices of what the network is asked once."""
        found_answers: list[list[Answer]] = [[] for _ in choices]
        for start in range(0, len(measurements), BATCH):
            batch = measurements[start : start + BATCH]
            prepared = list(map(self.prepare, batch))
            outputs = self.outputs_of([item.measurement for item in prepared])
            for answers, choice in zip(found_answers, choices, strict=True):
                answers += self._make_answers(batch, prepared, outputs, choice)
        return found_answers

    def outcomes(self, measurements: Sequence[Any], choice: Choice | None = None) -> list[Answer | Exception]:
        """Like `answers`, but what fails yields its exception and the others their answer."""
        try:
            return list(self.answers(measurements, choice))
        except Exception as error:  # whatever it is, it belongs to one of them; find out to which
            if len(measurements) == 1:
                return [error]
            return [
                outcome for measurement in measurements for outcome in self.outcomes([measurement], choice)
            ]

    def prepare(self, measurement: Any) -> Seen:
        """What the network sees of a measurement, checked.

        Raises
        ------
        DataError
            It cannot be assessed.
        """
        if not self.domain.check:
            return Seen(measurement, measurement.notes)
        prepared: Seen = self.domain.check(measurement, self.manifest.inputs)
        return prepared

    def features(self, measurements: Sequence[Any]) -> Inputs:
        """What the network reads, of measurements as it sees them."""
        inputs: Inputs = self.domain.features(measurements)
        return inputs

    def outputs(self, inputs: Inputs) -> Outputs:
        """What the network says, averaged as the domain says; and the ``level`` of the inputs."""
        outputs = ask_network(self.domain, self.manifest.heads, self.runtime.run, inputs)
        return {**outputs, "level": inputs["level"]} if "level" in inputs else outputs

    def outputs_of(self, measurements: Sequence[Any]) -> Outputs:
        """What the network says of measurements as it sees them. Raises DataError if that is not finite."""
        outputs = self.outputs(self.features(measurements))
        self._check_finite(outputs, measurements)
        return outputs

    def _check_finite(self, outputs: Outputs, measurements: Sequence[Any]) -> None:
        """See that the outputs of which probabilities are made are numbers."""
        for head in self.manifest.heads:
            if not isinstance(head, Classes | Scope) or getattr(head, "given", None):
                continue
            bad = ~np.isfinite(outputs[head.name]).all(axis=-1)
            if bad.any():
                raise DataError(
                    f"{measurements[int(bad.argmax())].file or 'the measurement'}: the network gave no"
                    f" finite answer for these numbers; check the scale of the intensities."
                )

    def _make_answers(
        self,
        measurements: Sequence[Any],
        prepared: Sequence[Seen],
        outputs: Outputs,
        choice: Choice,
    ) -> list[Answer]:
        manifest = self.manifest
        findings = decode(manifest.heads, outputs, manifest.calibration, choice)
        inside = self.scope_probability(outputs, len(prepared))
        restricted = self._describe_restriction(choice)
        return [
            self._answer(measurement, item, finding, float(share), restricted)
            for measurement, item, finding, share in zip(
                measurements, prepared, findings, inside, strict=True
            )
        ]

    def scope_probability(self, outputs: Outputs, count: int) -> Floats:
        """Probability that each of so many measurements is of a known kind, (n,)."""
        scope = self.manifest.scope
        if scope is None:
            return np.ones(count)
        return compute_in_scope(scope, outputs, self.manifest.calibration[scope.name])

    def _describe_restriction(self, choice: Choice) -> list[str]:
        """What is said where the user has left classes out."""
        labels = self.manifest.labels
        if choice.keep is None or choice.keep.all():
            return []
        names_kept = [name for name, is_wanted in zip(labels, choice.keep, strict=True) if is_wanted]
        return [restriction_note(names_kept, len(labels))]

    def _answer(
        self,
        measurement: Any,
        prepared: Seen,
        findings: Sequence[Any],
        share: float,
        restricted: Sequence[str],
    ) -> Answer:
        """One measurement's answer; `share` is the probability of a known kind, `restricted` notes of all."""
        scope = self.manifest.scope
        own_findings = _complete_findings(findings, prepared.measurement)
        far = describe_beyond_training(own_findings)
        share = share if prepared.known and not far else 0.0
        is_known = share >= self.manifest.scope_threshold
        notes = [*prepared.notes, *restricted, *far]
        unsaid: tuple[Any, ...] = ()
        if scope is not None and not is_known:
            notes.append(scope.outside)
            unsaid = tuple(own_findings)
            own_findings = [f.silence() for f in own_findings] if scope.silent else own_findings
        notes += [note for f in own_findings for note in f.notes()]
        answer = Answer(
            measurement.file,
            measurement.entry,
            share,
            tuple(own_findings),
            tuple(notes),
            scope or Scope(),
            is_known,
            self.domain.keys,
            getattr(measurement, "q_unit", None),
            unsaid,
        )
        return self.domain.complete(measurement, answer) if self.domain.complete else answer


def _complete_findings(findings: Sequence[Any], measurement: Any) -> list[Any]:
    """Findings, quantities beside what the measurement states and of the class that was found."""
    classes = next((f for f in findings if isinstance(f, ClassesFinding)), None)
    return [
        select_for_class(add_stated(f, measurement), classes) if isinstance(f, QuantitiesFinding) else f
        for f in findings
    ]


def open_predictor(name: str = DEFAULT) -> Predictor:
    """Open a model of the zoo, once per process.

    Raises
    ------
    ModelZooError
        It is missing, damaged or made for another version.
    """
    return _open_cached(zoo_folder(), name)


@lru_cache(maxsize=8)
def _open_cached(folder: Path, name: str) -> Predictor:
    return Predictor.load(open_model(name, folder=folder))


# --- A network asked on the workers of a Dask cluster, with the answers of one that is asked here.


@dataclass(frozen=True)
class Elsewhere:
    """Asks the network of a domain where the workers are; they must have the same network installed."""

    cluster: Cluster
    name: str  #: Of the domain.

    def outcomes(self, measurements: Sequence[Any]) -> list[Answer | Exception]:
        return self.cluster.spread(partial(answer_remotely, self.name), measurements)


def answer_remotely(name: str, measurements: list[Any]) -> list[Answer | Exception]:
    """What a worker does with its share."""
    return open_predictor(name).outcomes(measurements)


# --- Curves as the fits and the Python interface see them: `suggest` models, with their structure
# --- factors.


@dataclass(frozen=True)
class Classifier:
    """The network for curves, with its answers as `Suggestion`."""

    predictor: Predictor

    @property
    def manifest(self) -> Manifest:
        """Form models, groups and calibration."""
        return self.predictor.manifest

    @property
    def structure_factors(self) -> tuple[str, ...]:
        """Structure factors that the network knows, without none."""
        heads = self.manifest.heads
        return next(h.labels[1:] for h in heads if isinstance(h, Classes) and h.given)

    def selection(
        self, models: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> NDArray[np.bool_] | None:
        """Turn names into a mask over form models (F,); None for no restriction. Raises UnknownModelError
        with the nearest name, or if none is left.
        """
        return self.predictor.choice(1, models, exclude).keep

    def suggest(
        self,
        curves: Sequence[Curve],
        *,
        top: int = 5,
        keep: NDArray[np.bool_] | None = None,
        prior: str = COMMON,
    ) -> list[Suggestion]:
        """Suggest `top` models for each curve, in order; `keep` (F,) from `selection`, `prior` "common" (in
        practice) or "uniform". Raises DataError that names the file of an unusable curve.
        """
        choice = replace(self.predictor.choice(top, prior=prior), keep=keep)
        return [suggestion_of(answer) for answer in self.predictor.answers(curves, choice)]

    def glance(self, curves: Sequence[Curve]) -> tuple[Floats, Floats]:
        """Probabilities of groups of models, (n, groups), and of any known model, (n,), as of `suggest`."""
        # Nothing is checked or noted: for copies of a curve that `suggest` was asked about.
        parts = [self._glance(curves[begin : begin + FEW]) for begin in range(0, len(curves), FEW)]
        groups, in_scope = zip(*parts, strict=True)
        return np.concatenate(groups), np.concatenate(in_scope)

    def _glance(self, curves: Sequence[Curve]) -> tuple[Floats, Floats]:
        outputs = self.predictor.outputs_of(curves)
        heads = [head for head in self.manifest.heads if isinstance(head, Classes) and not head.given]
        findings = decode(heads, outputs, self.manifest.calibration, self.predictor.choice())
        groups = np.stack([classes.group_probabilities for classes, *_ in findings])
        return groups, self.predictor.scope_probability(outputs, len(curves))

    def suggest_under(
        self, curve: Curve, priors: Sequence[str], keep: NDArray[np.bool_] | None = None
    ) -> list[Suggestion]:
        """Suggest all models under each of these priors, asking the network once; else as `suggest`."""
        top = len(self.manifest.labels)
        choices = [replace(self.predictor.choice(top, prior=prior), keep=keep) for prior in priors]
        return [suggestion_of(answer) for (answer,) in self.predictor.answers_to([curve], choices)]


def open_classifier() -> Classifier:
    """Open the network for curves, once per process. Raises ModelZooError if it is unusable."""
    return Classifier(open_predictor())


def suggestion_of(answer: Answer) -> Suggestion:
    classes = answer.finding(ClassesFinding)
    size = answer.finding(SizeFinding)
    assert classes is not None
    models = []
    for class_found in classes.classes:
        ((factor, probability),) = class_found.given.values()
        models.append(
            ModelGuess(
                class_found.name,
                factor or None,
                class_found.probability,
                class_found.group,
                probability,
                class_found.uniform,
            )
        )
    network = size.network if size else None
    return Suggestion(
        answer.file,
        answer.entry,
        tuple(models),
        classes.groups,
        answer.in_scope,
        answer.notes,
        network.value if network else None,
        size.curve if size else None,
        probability_of_two(answer),
    )


@overload
def suggest(  # type: ignore[overload-overlap]  # a str is a sequence of str, too
    curves: Given,
    *,
    top: int = ...,
    models: Iterable[str] | None = ...,
    exclude: Iterable[str] | None = ...,
    prior: str = ...,
) -> Suggestion: ...
@overload
def suggest(
    curves: Sequence[Given],
    *,
    top: int = ...,
    models: Iterable[str] | None = ...,
    exclude: Iterable[str] | None = ...,
    prior: str = ...,
) -> list[Suggestion]: ...
def suggest(
    curves: Given | Sequence[Given],
    *,
    top: int = 5,
    models: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
    prior: str = COMMON,
) -> Suggestion | list[Suggestion]:
    """Suggest the models that may explain scattering curves, with calibrated probabilities.

    Parameters
    ----------
    curves : Curve, path, or sequence of these
        What was measured, or the name of a file of one curve; many at once are run in batches.
    top : int
        How many models (and groups of models) to list.
    models, exclude : iterable of str, optional
        Form models to choose from, and to leave out, by sasmodels' name. The probabilities are then
        renormalised over the models that remain, and a note says so.
    prior : str
        "common" weights models with how common they are in practice, "uniform" takes all for alike.

    Returns
    -------
    suggestion : Suggestion or list of Suggestion
        One for a Curve or path, a list in the same order for a sequence.

    Raises
    ------
    DataError
        A file that cannot be read, or a curve that cannot be assessed, for example with too few points in the
        trained q range.
    ModelZooError
        The trained model is missing or damaged.
    SasnetError
        An unknown model's name.

    Examples
    --------
    >>> from sasnet_plugin import load, suggest
    >>> suggest(load("sphere.dat")[0], top=3, exclude=["fuzzy_sphere"])    # doctest: +SKIP
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, not {top}")
    if isinstance(models, str) or isinstance(exclude, str):
        raise TypeError('models and exclude are lists of names, such as ["sphere", "cylinder"]')
    classifier = open_classifier()
    keep = classifier.selection(models, exclude)
    if isinstance(curves, (Curve, str, PathLike)):
        return classifier.suggest([curve_of(curves)], top=top, keep=keep, prior=prior)[0]
    return classifier.suggest(curves_of(curves), top=top, keep=keep, prior=prior)
