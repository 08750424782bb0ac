"""What ``sasnet fit`` does: read, fit, print and write, file by file or all as one sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from ...data.failure import sentence_of, unforeseen
from ...types import Curve, SasnetError
from ..arguments import Given
from ..files import clocked, curves_of, expand
from ..interrupt import Ending
from ..progress import fitting
from .outputs import Outputs, written
from .printed import Say

if TYPE_CHECKING:
    from ...domains import Domain
    from ...fitting.pool import Workers
    from ...fitting.result.fit_result import FitResult
    from ...fitting.task import FitOptions
    from ...fitting.together.result import SampleResult
    from ...predict import Answer
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from ...batch.plan import Options
from ...domains import DEFAULT, PAGES, Domain, ReadOptions, recognised, specification


@dataclass(frozen=True)
class Run:
    """The fits of one command."""

    pool: Workers
    ending: Ending
    how: FitOptions
    reading: Reading
    outputs: Outputs
    say: Say

    def each(self, files: Sequence[str], began: float) -> int:
        """Answer each curve and image and return how many failed; `began` by `time.monotonic`."""
        failed = 0
        window = self.reading.options.window
        every = (pair for each in expand(files) for pair in curves_of(each, self.reading.read, window))
        try:
            for path, outcome, passed in clocked(every, began):
                # Reading counts, and for the first data set what passed since the command began.
                left = max(self.how.time_limit - passed, 0.5 * self.how.time_limit)
                found = self._found(path, outcome, left)
                with self.ending.heard():
                    failed += self._answered(path, outcome, found)
                if self.ending():
                    break
        finally:  # after Ctrl-C, too, with the answers that there are
            self.outputs.close()
        return failed

    def together(self, files: Sequence[str], given: Given) -> int:
        """One answer to all files, as curves of one sample; how many things failed."""
        from ...fitting.progress import Watched
        from ...fitting.together.fit_together import fit_sample
        from ..together import print_sample, refused, sample_from

        options, say = self.reading.options, self.say
        try:
            sample = sample_from(files, self.reading.read, options.window, given, options.wavelength)
            limit = self.how.time_limit * len(sample.curves)
            with fitting(limit, say.silent) as progress, self.ending.heard():
                result = fit_sample(Watched(self.pool, progress), sample, self.how)
        except SasnetError as error:
            refused(error)
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
                failed += self._answered(single.curve.file, single.curve, single)
        self.outputs.close()
        return failed

    def _found(self, path: str, outcome: Any, left: float) -> FitResult | Answer | Exception:
        """Fit a curve or an image within so many seconds, or pass on why there is neither."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            if isinstance(outcome, Curve):
                return self._fitted(outcome, left)
            return _fit_image(self.reading.kinds[outcome.file], outcome, left)
        except SasnetError as error:
            return error
        except Exception as error:  # one file must not stop the others, whatever is wrong
            return unforeseen(path, error)

    def _fitted(self, curve: Curve, left: float) -> FitResult:
        from ...fitting.api import fit_with
        from ...fitting.progress import Watched

        with fitting(left, self.say.silent) as progress, self.ending.heard():
            found = fit_with(Watched(self.pool, progress), curve, self.how, wall=left)
        if found.ended and found.best is None:
            raise SasnetError(f"{curve.file}: ended before any model was fitted.")
        return found

    def _answered(self, path: str, outcome: Any, found: FitResult | Answer | Exception) -> int:
        from ...predict import Answer

        if isinstance(found, Exception):
            sentence = sentence_of(path, found)
            self.say.failure(path, sentence)
            self.outputs.failed(path, sentence)
            return 1
        self.say.answer(outcome, found)
        if isinstance(found, Answer):
            return int(self.outputs.image(self.reading.kinds[outcome.file], outcome, found))
        none = found.best is None and found.constant is None
        failed = int(none or bool(found.unanswered))  # the notes say why
        why = written(found, self.outputs, said=not self.say.silent)
        if why:
            self.say.failure(path, why)
        return failed + bool(why)


def _fit_image(kind: Domain, image: Any, seconds: float) -> Answer:
    """The network's answer with what is fitted from it on."""
    from ...predict.predictor import open_predictor

    (answer,) = open_predictor(kind.name).answers([image])
    assert kind.refine is not None  # of those with curves
    found: Answer = kind.refine(image, answer, seconds)
    return found


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
        kind = specification(self.domain or recognised(Path(path)))
        if kind.name == DEFAULT:
            yield from load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)
            return
        if not kind.curve:
            raise _not_fitted(path, kind)
        for one in kind.read(path, ReadOptions(options.q_unit, options.entry, self.geometry)):
            self.kinds[one.file] = kind
            curve = kind.curve(one)
            yield one if curve is None else curve


def _not_fitted(path: str, kind: Domain) -> SasnetError:
    others = " or ".join(name for name in PAGES if specification(name).curve)
    return SasnetError(
        f"{path}: {kind.title} are not fitted here; use 'sasnet classify --verify', or give --domain {others}"
        " if the beam went through the sample."
    )
