"""An answer about a curve in few lines: kinds of particles in the words of the field, likeliest models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..digits import align_columns
from ..files import read_tables
from . import sentences
from .classes import ClassesFinding, percent
from .described import ParticlesFinding, SizeFinding
from .findings import Answer

#: Kind of sample in the words of the field, and the models of sasmodels that belong to it.
KINDS: Mapping[str, frozenset[str]] = {
    words: frozenset(models) for words, models in read_tables(__file__).items()
}
#: Lines in all, models in them, and the share of probability from which a kind is named.
LINES, MODELS, NAMED = 8, 3, 0.05


def short_lines(answer: Answer, command: str, condition: str = "") -> list[str]:
    """Write the answer below its title: cautions, kinds, likeliest models, size, and the next command with
    its condition, such as ", if q is in nm⁻¹".
    """
    cautions = answer.sentences()[: answer.doubts]
    first = [sentences.CAUTION(caution=caution) for caution in cautions[:2]]
    first += _list_particles(answer)
    last = [*_size_line(answer), *([_next_line(answer, command, condition)] if command else [])]
    return [*first, *_model_part(answer, LINES - 1 - len(first) - len(last)), *last]


def _size_line(answer: Answer) -> Sequence[str]:
    size = answer.finding(SizeFinding)
    return () if size is None else size.sentences()[:1]


def _list_particles(answer: Answer) -> Sequence[str]:
    particles = answer.finding(ParticlesFinding)
    return () if particles is None else particles.sentences()


def _next_line(answer: Answer, command: str, condition: str) -> str:
    notes = len(set(answer.notes))
    details_text = sentences.DETAILS_NOTES(count=notes) if notes else str(sentences.DETAILS)
    return sentences.NEXT(condition=condition, command=command) + details_text


def _model_part(answer: Answer, room: int) -> list[str]:
    """Kinds of sample and the likeliest models in so many lines; nothing where nothing is known of them."""
    classes = answer.finding(ClassesFinding)
    if classes is None or classes.silent:
        return []
    kinds = _kinds_line(classes, percent(answer.in_scope))
    return [kinds, *model_lines(classes, max(min(MODELS, room - 1), 1))]


def _kinds_line(classes: ClassesFinding, in_scope: str) -> str:
    kinds_text = ", ".join(f"{name} {percent(share)}" for name, share in kinds_of(classes))
    return sentences.KINDS(kinds=kinds_text, in_scope=in_scope)


def kinds_of(classes: ClassesFinding) -> list[tuple[str, float]]:
    """Kinds of sample with their probability, the likeliest first; of those below NAMED at most one."""
    shares = dict(zip(classes.head.labels, classes.probability.tolist(), strict=True))
    sums = {kind: sum(shares.get(name, 0.0) for name in names) for kind, names in KINDS.items()}
    order = sorted(sums.items(), key=lambda kind_share: -kind_share[1])
    return [kind_share for kind_share in order if kind_share[1] >= NAMED] or order[:1]


def model_lines(classes: ClassesFinding, count: int) -> list[str]:
    """A line for each of the likeliest models: its name, structure factor, and probability with a bar."""
    rows = [class_found.row(grouped=False) for class_found in classes.classes[:count]]
    rows = [row[:-1] if classes.uniform is not None else row for row in rows]
    return align_columns(rows)
