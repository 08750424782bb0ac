"""A warning about a fit: its sentence for people, and as data what it is about."""

from __future__ import annotations

from enum import Enum, auto


class About(Enum):
    """What a warning is about; code asks this, never the sentence."""

    VALUE = auto()  #: One value is impossible, at an end of its range, or not determined.
    SIMPLER = auto()  #: A simpler model gives the same curve.
    ONE_SIZE = auto()  #: One size without a distribution fits as well.
    CORRELATED = auto()  #: Parameters are strongly correlated.
    WITHIN_ERRORS = auto()  #: Two contrasts or sizes agree within their errors.
    NOT_RANDOM = auto()  #: The residuals are not random.
    FIT = auto()  #: How the fit went, or how it compares with the data.


#: What is an answer, or is in the errors of the values, and so no caution.
HARMLESS = frozenset({About.ONE_SIZE, About.CORRELATED, About.WITHIN_ERRORS})


class FitWarning(str):
    """The sentence, as texts are written and stored, with what it is about."""

    about: About
    parameter: str  #: The parameter concerned; empty where it is none or several.
    model: str  #: Of `SIMPLER`: the simpler model, with its structure factor.

    def __new__(
        cls, sentence: str, about: About = About.FIT, *, parameter: str = "", model: str = ""
    ) -> FitWarning:
        warning = super().__new__(cls, sentence)
        warning.about, warning.parameter, warning.model = about, parameter, model
        return warning
