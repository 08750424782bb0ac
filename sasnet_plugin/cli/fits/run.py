"""What ``sasnet fit`` does: read, fit, print and write, file by file or all as one sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from ...data.failure import sentence_of, unforeseen
from ...types import Curve, SasnetError
from ..arguments import Given
from ..files import curves_of, expand, time_outcomes
from ..interrupt import Ending
from ..progress import show_fit_progress
from .outputs import Outputs, write_outputs
from .printed import Say

if TYPE_CHECKING:
    from ...domains import Domain
    from ...fitting.pool import Workers
    from ...fitting.result.fit_result import FitResult
    from ...fitting.result.sample_result import SampleResult
    from ...fitting.task import FitOptions
    from ...predict import Answer
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from ...batch.plan import Options
from ...domains import DEFAULT, PAGES, Domain, ReadOptions, recognise_domain, specification


@dataclass(frozen=True)
class Run:
    """The fits of one command."""

    pool: Workers
    ending: Ending
    how: FitOptions
    reading: Reading
    outputs: Outputs
    say: Say

    def each(self, files: Sequence[str], start_time: float) -> int:
        """Answer each curve and image and return how many failed; `start_time` by `time.monotonic`."""
        failed = 0
        window = self.reading.options.window
        pairs = (pair for file in expand(files) for pair in curves_of(file, self.reading.read, window))
        try:
            for path, outcome, passed in time_outcomes(pairs, start_time):
                # Reading counts, and for the first data set what passed since the command began.
                seconds_left = max(self.how.time_limit - passed, 0.5 * self.how.time_limit)
                measurement = self._fit_measurement(path, outcome, seconds_left)
                with self.ending.listen():
                    failed += self._report_answer(path, outcome, measurement)
                if self.ending():
                    break
        finally:  # after Ctrl-C, too, with the answers that there are
            self.outputs.close()
        return failed

    def together(self, files: Sequence[str], sample_options: Given) -> int:
        """One answer to all files, as curves of one sample; how many things failed."""
        from ...fitting.api import fit_sample
        from ...fitting.progress import Watched
        from ..together import print_sample, refuse, sample_from

        options, say = self.reading.options, self.say
        try:
            sample = sample_from(files, self.reading.read, options.window, sample_options, options.wavelength)
            limit = self.how.time_limit * len(sample.curves)
            with show_fit_progress(limit, say.silent) as progress, self.ending.listen():
                result = fit_sample(Watched(self.pool, progress), sample, self.how)
        except SasnetError as error:
            refuse(error)
        if self.ending() or len(sample.curves) == 1:  # of one the very answer of its fit
            return self._alone(result)
        if say.line:
            say.line(result.as_dict())
        else:
            print_sample(result, quiet=say.quiet, details=say.details)
        return self.outputs.together(result, said=not say.silent) + (result.best is None)

    def _alone(self, result: SampleResult) -> int:
        """What each curve of a sample says by itself, as far as it was fitted; how many things failed."""
        failed = 0
        if result.sample.curves[1:]:
            typer.echo("sasnet: ended before the curves were fitted together; alone they say:", err=True)
        for single in result.singles if result.as_one is None else (result.as_one,):
            if single.best is not None or not single.ended:
                failed += self._report_answer(single.curve.file, single.curve, single)
        self.outputs.close()
        return failed

    def _fit_measurement(
        self, path: str, outcome: Any, seconds_left: float
    ) -> FitResult | Answer | Exception:
        """Fit a curve or an image within so many seconds, or pass on why there is neither."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            if isinstance(outcome, Curve):
                return self._fit_curve(outcome, seconds_left)
            return _fit_image(self.reading.kinds[outcome.file], outcome, seconds_left)
        except SasnetError as error:
            return error
        except Exception as error:  # one file must not stop the others, whatever is wrong
            return unforeseen(path, error)

    def _fit_curve(self, curve: Curve, seconds_left: float) -> FitResult:
        from ...fitting.api import fit_with
        from ...fitting.progress import Watched

        with show_fit_progress(seconds_left, self.say.silent) as progress, self.ending.listen():
            result = fit_with(Watched(self.pool, progress), curve, self.how, wall=seconds_left)
        if result.ended and result.best is None:
            raise SasnetError(f"{curve.file}: ended before any model was fitted.")
        return result

    def _report_answer(self, path: str, outcome: Any, result: FitResult | Answer | Exception) -> int:
        from ...predict import Answer

        if isinstance(result, Exception):
            sentence = sentence_of(path, result)
            self.say.failure(path, sentence)
            self.outputs.record_failure(path, sentence)
            return 1
        self.say.answer(outcome, result)
        if isinstance(result, Answer):
            return int(self.outputs.image(self.reading.kinds[outcome.file], outcome, result))
        is_empty = result.best is None and result.constant is None
        failed = int(is_empty or bool(result.unanswered))  # the notes say why
        why = write_outputs(result, self.outputs, is_said=not self.say.silent)
        if why:
            self.say.failure(path, why)
        return failed + bool(why)


def _fit_image(kind: Domain, image: Any, seconds: float) -> Answer:
    """The network's answer with what is fitted from it on."""
    from ...predict.predictor import open_predictor

    (answer,) = open_predictor(kind.name).answers([image])
    assert kind.refine is not None  # of those with curves
    refined: Answer = kind.refine(image, answer, seconds)
    return refined


@dataclass
class Reading:
    """How files are read, and of which kind those were that hold images."""

    domain: str | None  #: Of all files; None asks each file.
    options: Options
    geometry: tuple[str, ...]
    kinds: dict[str, Domain] = field(default_factory=dict)

    def read(self, path: str) -> Iterator[Any]:
        """The curves of a file, or its images where these have a direction."""
        from ...data import load

        options = self.options
        kind = specification(self.domain or recognise_domain(Path(path)))
        if kind.name == DEFAULT:
            yield from load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)
            return
        if not kind.curve:
            raise _not_fitted(path, kind)
        for measurement in kind.read(path, ReadOptions(options.q_unit, options.entry, self.geometry)):
            self.kinds[measurement.file] = kind
            curve = kind.curve(measurement)
            yield measurement if curve is None else curve


def _not_fitted(path: str, kind: Domain) -> SasnetError:
    curve_kinds = " or ".join(name for name in PAGES if specification(name).curve)
    return SasnetError(
        f"{path}: {kind.title} are not fitted here; use 'sasnet classify --verify', or give --domain"
        f" {curve_kinds}"
        " if the beam went through the sample."
    )
