"""Abscissae that are functions of q: how their names are written, and how q follows from them.

d* = 1/d and s = 2 sin(θ)/λ are q/2π, sin(θ)/λ is q/4π. pyFAI writes ``d*2_nm^-2``, ``log10(q.m)_None``,
``log(1+q.nm)_None`` and ``arcsinh(q.nm)_None``, where ``q.nm`` is q times 1 nm.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from ... import units
from ...arrays import Floats

# --- Abscissae that are functions of q: how their names are written, and how q follows from them.


class Axis(NamedTuple):
    """A function of q."""

    scale: str  #: A key of `INVERSES`; empty for what is proportional to q.
    factor: float  #: What the inverse of the function is multiplied by to be q.
    unit: str = ""  #: Of q, where the name holds it: "1/nm" of ``q.nm``.


#: From the values of a function to those of what it was taken of.
INVERSES: dict[str, Callable[[Floats], Floats]] = {
    "log10": lambda x: 10.0**x,
    "ln": np.exp,
    "log10(1 + …)": lambda x: 10.0**x - 1,
    "ln(1 + …)": np.expm1,
    "arcsinh": np.sinh,
    "squared": np.sqrt,
    "cubed": np.cbrt,
    "fourth": lambda x: np.sqrt(np.sqrt(x)),
    "root": np.square,
    "inverse": np.reciprocal,
}

_SINE = r"\(?sin?(?:\(?(?:theta|th|t)\)?|\(?2-?(?:theta|th)/2\)?)\)?/(?:lambda|λ|wavelength|wl)"
_PI = r"(?:pi|π)"
_WHAT = (
    (1.0, r"q|qvec|\|q\|"),
    (1.0, rf"4\*?{_PI}\*?{_SINE}|4\*?{_PI}/(?:lambda|λ)\*?sin\(?(?:theta|th)\)?"),
    (2 * np.pi, rf"2\*?{_SINE}|2/(?:lambda|λ)\*?sin\(?(?:theta|th)\)?"),
    (2 * np.pi, rf"d\*|d-?_?star|1/d|d\^?-1|recd|reciprocald(?:spacing)?|q/\(?2\*?{_PI}\)?"),
    (4 * np.pi, rf"{_SINE}|stol|sinthetaoverlambda"),
)
_OF = "|".join(f"(?P<w{i}>{pattern})" for i, (_, pattern) in enumerate(_WHAT))
_IN_UNIT = r"(?:(?P<times>[.*]|/\(?)(?P<own>nm|a|å|angstroms?|μm|um|m|cm)(?:\^?\(?-1\)?)?\)?)?"
_ARGUMENT = rf"(?P<plus>1\+)?\(?(?:{_OF})\)?{_IN_UNIT}(?P<plus_after>\+1)?"
_FORM = re.compile(
    rf"(?:[a-z]\*?=)?(?P<function>log10|log1p|log|ln|lg|a(?:rc)?sinh|sqrt|1/)?\(?(?:{_ARGUMENT})\)?"
    r"(?P<sign>\^|\*\*)?(?P<power>[234]|sq|squared)?"
)
_FUNCTIONS = {
    "log10": "log10", "lg": "log10", "ln": "ln", "log1p": "ln(1 + …)", "asinh": "arcsinh",
    "arcsinh": "arcsinh", "sqrt": "root", "1/": "inverse",
}  # fmt: skip
_POWERS = {"2": "squared", "sq": "squared", "squared": "squared", "3": "cubed", "4": "fourth"}


def axis_of(plain: str) -> Axis | None:
    """Return the function of q that a name stands for; None for q itself or no function."""
    # `plain` is lower case without blanks and unit.
    match = _FORM.fullmatch(plain)
    if match is None or _is_left_to_names(match):
        return None
    return Axis(_scale_of(match), _factor_of(match), f"1/{match['own']}" if match["own"] else "")


def _factor_of(match: re.Match[str]) -> float:
    """What the inverse of the function is multiplied by to be q."""
    return next(value for i, (value, _) in enumerate(_WHAT) if match[f"w{i}"])


def _scale_of(match: re.Match[str]) -> str:
    function = match["function"] or ""
    if function in ("log", "log10", "ln", "lg"):
        return _name_logarithm(match, function)
    return _FUNCTIONS.get(function, "") or _POWERS.get(match["power"] or "", "")


def _is_left_to_names(match: re.Match[str]) -> bool:
    """Whether `names` knows the name: q, its square, its root, its inverse, log q; or nobody does."""
    if match["function"] and match["power"]:
        return True
    return match["w0"] is not None and (_is_numbered(match) or not _is_special(match))


def _is_numbered(match: re.Match[str]) -> bool:
    """Whether a number is that of a sample, as in q4 beside I4."""
    return bool(match["power"]) and not match["sign"]


def _is_special(match: re.Match[str]) -> bool:
    """Whether q stands with a unit, one more, a power above the second, or in a function known here alone."""
    with_more = any(match[name] for name in ("own", "plus", "plus_after"))
    return with_more or match["power"] in ("3", "4") or match["function"] in ("asinh", "arcsinh", "log1p")


def _name_logarithm(match: re.Match[str], function: str) -> str:
    """Which logarithm: "log" of 1 + q, or of q times a length, is the natural one, as pyFAI's are."""
    one_more = bool(match["plus"] or match["plus_after"])
    natural = function == "ln" or (function == "log" and (one_more or match["times"] == "."))
    return ("ln" if natural else "log10") + one_more * "(1 + …)"


def is_a_length(unit: str) -> bool:
    """Whether the unit of an abscissa is a length of millimetres or more: it is a position, and no q."""
    return bool(
        re.fullmatch(r"\W*(?:mm|cm|m|millimet\w+|centimet\w+|met(?:er|re)s?)\W*", unit.strip().lower())
    )


# --- What the name of a column says: which quantity, in which unit, on which scale, of which
# --- sample.

#: Quantities of a column. "Other" (counts, weights, masks, residuals, point numbers) is no part of a curve.
Q, ANGLE, INTENSITY, ERROR, RELATIVE, DQ = "q", "angle", "intensity", "dintensity", "relative", "dq"
SLIT, WIDTH, MODEL, BEFORE, OTHER, UNKNOWN = "slit", "slit width", "model", "before subtraction", "other", ""
NO_Q = "other abscissa"
"""What curves of other kinds are measured against: time, position, energy, temperature, size."""

FWHM = 2.3548
"""Full width at half maximum of a Gaussian in standard deviations, 2 sqrt(2 ln 2)."""


class ColumnName(NamedTuple):
    """A column's name, understood."""

    text: str  #: As it stands in the file.
    #: `Q`, `ANGLE` (2θ), `INTENSITY`, `ERROR` (one standard deviation of I), `RELATIVE` (of I), `DQ`, `SLIT`
    #: (its half length), `WIDTH` (its half width), `MODEL` (a calculated curve), `BEFORE` (measured before
    #: the subtraction), `OTHER`, `NO_Q` or `UNKNOWN`.
    quantity: str
    #: Of q a key of `INVERSES`; of an intensity "log10", "ln", "root", "inverse", or "q", "q2" or "q4" times
    #: it; of an uncertainty "squared", or "log10" or "ln" where it is that of a logarithm; of dq "relative"
    #: to q; empty for the quantity itself.
    scale: str = ""
    unit: str = ""  #: The text of its unit; empty where none is named.
    #: What the values are multiplied by: 0.01 for per cent, 2 for θ, 1/`FWHM` for full widths, 2π for d*.
    factor: float = 1.0
    sample: str = ""  #: What tells columns of the same quantity apart: "2" of ``I_2``; empty for none.


def _any(words: str) -> str:
    """A pattern for one of these, parted by blanks."""
    return f"(?:{'|'.join(words.split())})"


# In a name without blanks, signs and brackets of units, in small letters.
_I = _any(
    r"i j y ywave int intens intensity intensities intensit[äa]t intensit[ée] signal"
    r" d\(?sigma\)?/?d\(?omega\)? ds/?do(?:mega)? ds/?dw dsdo?w?"
    r" (?:differential|macroscopic|scattering|coherent|total)*crosssection"
)
_MEASURED = _any("exp exper experiment(?:al)? obs observed meas measured data raw")
_MADE = _any(
    "abs absolute norm normali[sz]ed mean avg averaged? corr corrected scaled merged total scattered"
    " scattering calibrated reduced integrated net"
    " radial azimuthal (?:buffer|solvent|background|bkg|bgd|bg)?(?:sub|subtracted|corrected)"
)
_MODEL = _any(
    "model mod calc calculated cal fits? fitted bestfit theory theor(?:etical)? th reg"
    " regulari[sz]ed sim simulated"
    " simulation smooth(?:ed)? ideal"
)
_ERROR = (
    "(?:abs(?:olute)?|sample|stat(?:istical)?|counting|poisson|propagated|random|total|corr(?:ected)?|norm(?:ali[sz]ed)?)?"
    + _any(
        "e er err errors? errorbars? sigma sig std stdev stddev dev deviation sd sem esd suc? unc uncert"
        " uncertaint(?:y|ies) (?:standard|std|mean)(?:dev|deviation|err|error|unc|uncertainty)s?(?:mean)?"
        " fehler erreur rms"
    )
)
_OF_Q = r"(?:\(?[qs]\)?)?"
_ANY_I = f"(?:{_MEASURED}?{_I}{_OF_Q}{_MEASURED}?)"
_RELATIVELY = r"rel(?:ative)?\.?|fractional|percent(?:age)?|pct|%"
#: Beside another word the intensity goes by few names.
_SHORT = "(?:i|j|y|int|intensity)"
_VECTOR = r"(?:scatter(?:ing)?|wave|streu)(?:vector|vektor|transfer)+(?:modulus)?[qs]?"
#: A quantity, the factor to it, and how its names go; the first that fits counts.
_KNOWN = (
    (
        ANGLE,
        1.0,
        "(?:scattering|diffraction|polar)?angle (?:2|two)-?theta(?:scattering)?(?:angle)?s? 2t?th t?tth",
    ),
    (ANGLE, 2.0, "theta(?:angle)? half(?:scattering)?(?:angle|2-?theta) braggangle"),
    (
        Q,
        1.0,
        rf"\|?q\|? q-?vec(?:tor)? s h k x xwave qx qr qtot(?:al)? q?mod(?:ulus)?q? absq radialq qradial"
        rf" (?:mean|avg|average|magnitude)q(?:vec(?:tor)?)? q(?:mean|avg|average|magnitude|mid|modulus)"
        rf" bincent(?:er|re) momentumtransfer[qs]? [qs](?:exp|obs|vals?|values?|bins?|axis|cent(?:er|re))"
        rf" q?bincent(?:er|re)s? (?:modulus|magnitude)?(?:of)?{_VECTOR}(?:magnitude)? vecteurdediffusionq?",
    ),
    (
        RELATIVE,
        1.0,
        rf"(?:d|delta|s|{_ERROR})\(?{_SHORT}{_OF_Q}\)?/{_SHORT}{_OF_Q} {_ERROR}/{_SHORT}{_OF_Q}"
        rf" (?:{_RELATIVELY}){{1,2}}{_SHORT}?{_ERROR}{_SHORT}?{_OF_Q}"
        rf" {_SHORT}?{_ERROR}{_SHORT}?"
        rf"(?:rel\.?|\((?:{_RELATIVELY})\)|(?:percent(?:age)?|pct|%)(?:{_SHORT})?)",
    ),
    (SLIT, 1.0, "-?dqv dxl d[qx]_?l slit_?(?:half)?_?length"),
    (WIDTH, 1.0, "dxw d[qx]_?w slit_?(?:half)?_?width"),
    (
        DQ,
        1.0,
        rf"(?:d|delta|d?sig|res(?:olution)?|s|{_ERROR})\(?[qx]\)?"
        rf" [qx](?:res|resolution|width|spread|{_ERROR}) (?:q|instrument(?:al)?|pinhole)?resolution(?:sigma)?"
        " dqsigma sigmaqres",
    ),
    (DQ, 1 / FWHM, r"fwhm d?qfwhm fwhm\(?q\)?"),
    (
        MODEL,
        1.0,
        rf"(?:{_SHORT}{_OF_Q})?{_MODEL}{{1,2}}(?:{_SHORT}{_OF_Q})?(?:\(?\+?const(?:ant)?\)?)?(?:curve)?"
        rf" {_SHORT}{_MODEL}{_OF_Q} {_SHORT}(?:model|calc|fit)(?!err|sig|std|unc)\S*",
    ),
    (
        ERROR,
        1.0,
        rf"{_ERROR} (?:d|delta|s|{_ERROR})\(?(?:{_MEASURED}|{_MADE}?{_ANY_I})\)?"
        rf" {_MADE}?{_ANY_I}{_ERROR} {_MEASURED}{_ERROR} {_I}su(?:counting)?"
        r" \+/?-? ± yerr erry (?:one|1)sigma",
    ),
    (
        INTENSITY,
        1.0,
        f"{_ANY_I} {_MEASURED} {_MADE}{{1,3}}{_ANY_I} {_ANY_I}{_MADE}{{1,2}}"
        f" sub subtracted subtraction corrected sample{_SHORT}? {_SHORT}sample"
        " sample-?(?:buffer|solvent|background)",
    ),
    (
        BEFORE,
        1.0,
        f"{_SHORT}?(?:buffer|solvent|background|backgr|bkg|bgd|bg|empty|emptycell|blank|unsubtracted){_SHORT}?",
    ),
    (
        OTHER,
        1.0,
        r"counts? cts n?pix(?:els)? npixels? n nr no num number index idx id scanid"
        r" (?:points?|pts?|row|bin|data)(?:number|no|num|index|id)?"
        r" (?:number|no|num|n)(?:pixels?|pix|points?|pts?|cells?|bins?|counts?|frames?) cells? channel ch bin"
        r" (?:q?bin|q)width weights? w f?shad(?:ow)?(?:factor)? mask flag valid detector det bank frame"
        r" (?:beam)?monitor(?:counts?)? mon i0 mean i/sigma(?:i)? s/n snr signal(?:to|/)noise(?:ratio)?"
        r" (?:norm(?:ali[sz]ed)?|std|standardi[sz]ed)?(?:res|resid|residuals?)(?:/\S*)? chi chi2 chi\^2 chisq"
        r" diff difference delta/sigma \(?\S*-\S*\)?/\S*"
        r" transmission solidangle norm normali[sz]ation sum sumi",
    ),
    (
        NO_Q,
        1.0,
        r"(?:\w*time|t|tof|tau)(?:stamp|s)? exposure acquisition duration delay dwell elapsed age"
        r" \w*temp(?:erature)? (?:\w*(?:position|distance))|pos|dist|(?:frame|image|scan)(?:number|no)"
        r" (?:detector|strip|channel|pixel)(?:number|no|index|position)?"
        r" pixels? strips? (?:r|radius)(?:m|px|pixels?)?"
        r" azi\w* (?:phi|psi|eta)(?:angle)? (?:azimuthal|rotation|tilt|incident|exit)angle \w*energy"
        r" e_?k?ev \w*(?:lambda|wavelength) \w*diameters?\d* (?:particle)?sizes? depth height thickness"
        r" q(?:low|lo|min|left|high|hi|max|right)\w* q\*?rg q\*?r \w*concentration pressure voltage frequency"
        r" (?:magnetic|electric)?field d(?:-?spacings?)?",
    ),
)


#: The commonest names need no pattern, and most files have no other.
_EXACTLY = {
    name: (quantity, "", 1.0)
    for quantity, names in {
        Q: "q x s", INTENSITY: "i y int intensity i(q) iq",
        ERROR: "di dy err error errors sigma std sigma(i)", DQ: "dq dx sigmaq",
    }.items()
    for name in names.split()
}  # fmt: skip


@cache
def _patterns() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    return tuple((quantity, factor, re.compile(_any(words))) for quantity, factor, words in _KNOWN)


#: Words for operations, and what stands for them.
_IN_WORDS = tuple(
    (re.compile(pattern, re.IGNORECASE), sign)
    for pattern, sign in (
        (r"\b(?:natural|nat\.?)\s+log(?:arithm)?\b(?:\s+of\b)?", " ln "),
        (r"\b(?:decadic|decimal|common|base[\s-]10)\s+log(?:arithm)?\b(?:\s+of\b)?|\blog(?:arithm)?[\s-]10\b",
         " log10 "),
        (r"\blogarithm\b(?:\s+of\b)?", " log "),
        (r"\bsquare[\s-]root\s+of\b", " sqrt "),
        (r"\s+square[d]?\b", "^2"),
        (r"\s+to\s+the\s+(?:power\s+(?:of\s+)?)?(?:fourth|four|4)(?:\s+power)?$", "^4"),
        (r"\b(?:times|multiplied\s+by)\b|(?<=\S)\s+x\s+(?=\S)", " * "),
        (r"\bdivided\s+by\b|\s+over\s+", " / "),
        (r"\bper\s+cents?\b", " percent "),
        (r"\b(?:two|2)[\s-]+theta\b", "2theta"),
        (r"\b(err(?:or)?s?|uncertaint\w+|deviations?)\s+(?:in|on)\b(?=\s+\S)", r"\1 "),
        (r"\b(?:of|the)\b|(?<=[a-z])\.(?=\s)", " "),
    )
)  # fmt: skip
_SIGNS = str.maketrans(
    {"σ": "sigma", "Σ": "sigma", "Δ": "d", "δ": "d", "θ": "theta", "Θ": "theta", "ϑ": "theta", "ω": "omega",
     "Ω": "omega", "²": "^2", "⁴": "^4", "χ": "chi", "·": "*", "×": "*", "∂": "d", "Å": "Å"}
)  # fmt: skip
_ROUND = str.maketrans("[]{}", "()()")
_POWER = re.compile(r"\^[({]\s*([-−]?\d)\s*[)}]")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]|\(([^()]*)\)|\{([^{}]*)\}")
_UNIT_LIKE = re.compile(
    r"1\s*/|inv|recip|per\b|[-−⁻]\s*[12¹²]|cm|arb|a\.?u\.?|\bcounts?\b|deg|rad|%|percent|none|unit|abs",
    re.IGNORECASE,
)
_LOGARITHM = re.compile(r"(?P<scale>log10|lg|log|ln)(?:of)?(?:the)?\(?(?P<of>.*?)\)?")
_VARIANCE = (
    rf"{_SHORT}?var(?:iance)?\(?{_SHORT}?{_OF_Q}\)?"
    rf"|(?:{_ERROR}|d{_I})\^2|{_ERROR}\(?{_SHORT}{_OF_Q}\)?\^2"
)
_BEFORE_NAME = rf"(?:d|delta|{_ERROR})"
_RELATIVE_DQ = (
    rf"(?:fwhm|{_BEFORE_NAME})\(?q\)?/\(?q\)?"
    rf"|(?:{_RELATIVELY})(?:d\(?q\)?|(?:q|instrument(?:al)?)?resolution|{_ERROR}\(?q\)?)"
)
#: Names as a whole, what they are, and the scale.
_SCALES = (
    (r"[qs](?:\^2|\*\*2|sq)", Q, "squared"),
    (_VARIANCE, ERROR, "squared"),
    (_RELATIVE_DQ, DQ, "relative"),
    ("kratky", INTENSITY, "q2"),
)
_ERROR_OF_LOGARITHM = (
    rf"{_BEFORE_NAME}\(?(?P<scale>log10|lg|log|ln)\(?{_ANY_I}\)*"
    rf"|(?P<scale_after>log10|lg|log|ln)\(?{_ANY_I}\)?{_ERROR}"
)
_TIMES_Q = re.compile(
    r"[qs](?:\^?(?P<before>[24])\*?|\*)(?:i|int|intensity)(?:\([qs]\))?"
    r"|(?:i|int|intensity)(?:\([qs]\)|\*)+[qs](?:\^?(?P<after>[24]))?|i[qs](?:\^?(?P<last>[24]))"
)
_FUNCTION = re.compile(r"(?:sqrt|√)\(?(?P<root>.+?)\)?|1/(?P<inverse>.+)")
_NUMBERED = re.compile(r"(.*?[a-z)])(\d+)")
_OF_SAMPLE = rf"(?P<what>[qs]|{_I}{_OF_Q}|{_ERROR}|d{_I}{_OF_Q})[ _:\-(\[.]+(?P<sample>[^)\]]+)[)\]]?"
# "lysozyme I", "lysozyme_err".
_SAMPLE_OF = rf"(?P<sample>\S.*?)[ _:.-]+(?P<what>{_I}{_OF_Q}|{_ERROR}|d{_I}{_OF_Q})"
_STRUCTURE_FACTOR = re.compile(r"S\([qQ]\)(?:_?[eE]ff)?|S[qQ](?:_?[eE]ff)?")
"""With a capital: an uncertainty of q has a small one."""
_UNIT_OF_OTHERS = re.compile(
    r"\s*[\[({][^\])}]*[\])}]\s*$|(?:\s*[/,]\s*|[\s_]+)(?:[mµμun]?s|sec(?:onds?)?|min(?:utes?)?|h(?:ours?|rs?)?|[km]?ev|k"
    r"|°?c|[kmg]?hz|[kmg]?pa|m?bar|mm|px|pixels?)\s*$",
    re.IGNORECASE,
)
"""Behind the name of a time, an energy, a temperature."""
_SYMBOL = re.compile(
    r"\|?[qshijyQSIJY]\|?(?:\([qQ]\))?|(?:[deσΔδ]|sigma_?)[iqIQ]?(?:\([qQ]\))?|(?:2-?)?(?:theta|θ)"
)
_PER_CENT = re.compile(r"%|percent|per cent|\bpct", re.IGNORECASE)
_OF_AN_ANGLE = re.compile(r"log|ln|lg|sin|cos|tan|sqrt|1/|exp")
"""How the name of a function of the angle begins: that is no angle."""
_TWO_THETA = re.compile(r"(?:2|two)-?th(?:eta)?(?![a-z])|(?:2|two)-?theta-?(?:omega|counts?|cps)|2-?θ")


@lru_cache(maxsize=4096)  # files of one instrument have the same names
def understand(text: str) -> ColumnName:
    """Interpret a column's name, such as ``q_nm^-1``, ``<I>``, ``error(%)`` or ``2-Theta (Degrees)``."""
    known, stripped, name, unit = _interpret(text)
    if known is not None:
        return known
    plain = _plain(name)
    if _TWO_THETA.search(plain) and not _OF_AN_ANGLE.match(plain):
        return ColumnName(stripped, ANGLE, unit=unit)
    return _understand_in_part(stripped, name, unit) or ColumnName(stripped, UNKNOWN)


def is_known(text: str) -> bool:
    """Whether a name is known as a whole, without a number or a sample that could be a word of its own."""
    return _interpret(text)[0] is not None


@lru_cache(maxsize=4096)
def _interpret(text: str) -> tuple[ColumnName | None, str, str, str]:
    """A name that is known as a whole, else None; its text, that without its unit, and the unit."""
    text = re.sub(r"^[\s#;:,\"'<>|$]*%(?=\s)", "", text)  # "%error" is a name
    stripped = text.lstrip(" \t#;:,\"'<>|$").rstrip(" \t#;:,\"'<>|$")
    if _STRUCTURE_FACTOR.fullmatch(stripped):
        return ColumnName(stripped, OTHER), stripped, stripped, ""
    name, unit = _split_unit(_POWER.sub(r"^\1", _put_signs(stripped)))
    name = name.translate(_SIGNS)
    plain = _plain(name)
    meaning = _EXACTLY.get(plain)
    if not meaning and (axis := _axis_in(stripped, plain)):
        unit = axis.unit or ("" if unit.lower() == "none" else unit)
        return ColumnName(stripped, Q, axis.scale, unit, axis.factor), stripped, name, unit
    meaning = meaning or _understand_scaled(plain) or _simple(plain) or _understand_with_symbol(name)
    if (
        not meaning
        and not _TWO_THETA.search(plain)
        and (bare := _plain(_UNIT_OF_OTHERS.sub("", name))) != plain
    ):
        meaning = (NO_Q, "", 1.0) if (_simple(bare) or ("",))[0] == NO_Q else None
    known = _make_column_name(stripped, *meaning, unit) if meaning else None
    return known, stripped, name, unit


def _put_signs(text: str) -> str:
    """A name with signs of operations for their words; a name of one word has none."""
    if " " in text:
        for pattern, sign in _IN_WORDS:
            text = pattern.sub(sign, text)
    return text


def _understand_with_symbol(name: str) -> tuple[str, str, float] | None:
    """A name in words with its symbol behind it, as "scattering vector q" or "intensity I(q)"."""
    words, _, symbol = name.strip().rpartition(" ")
    if not (words and _SYMBOL.fullmatch(symbol)) or min(map(len, words.split())) < 3:
        return None
    meaning = _simple(_plain(words))
    return meaning if meaning and _simple(_plain(symbol)) == meaning else None


def names_uncertainty(text: str, of: str) -> bool:
    """Whether a name is that of the uncertainty of another column, as dP, sigma_P and P_err of P."""
    of = re.escape(of.strip())
    return (
        re.fullmatch(rf"(?:d|s|e|sigma|err|error|std)_?{of}|{of}_?(?:err|error|sigma|std)", text) is not None
    )


def _axis_in(text: str, plain: str) -> Axis | None:
    """A function of q: of a name without its unit, else of the whole, as ``log10(q/nm^-1)``."""
    whole = _plain(_POWER.sub(r"^\1", text).translate(_SIGNS))
    return axis_of(plain) or (axis_of(whole) if whole != plain else None)


def _understand_in_part(text: str, name: str, unit: str) -> ColumnName | None:
    """A known name with a number, a unit that is none, or a sample beside it."""
    return (
        _understand_numbered(text, _plain(name), unit)
        or _unit_unknown(text, name)
        or _understand_sample(text, name, unit)
    )


def _understand_numbered(text: str, plain: str, unit: str) -> ColumnName | None:
    match = _NUMBERED.fullmatch(plain)
    if not (match and (simple := _simple(match[1])) and simple[0] in (Q, INTENSITY, ERROR, RELATIVE, DQ)):
        return None
    if (simple[0], match[2]) == (Q, "2") and units.canonical(unit, "sld"):  # q² in Å⁻²
        return _make_column_name(text, Q, "squared", 1.0, unit)
    return _make_column_name(text, *simple, unit, sample=match[2])


def _understand_sample(text: str, name: str, unit: str) -> ColumnName | None:
    """``I_lysozyme``, ``I(buffer)``: a known name with that of a sample, or of what it is."""
    whole = name.strip()
    match = re.fullmatch(_OF_SAMPLE, whole, re.IGNORECASE) or re.fullmatch(_SAMPLE_OF, whole, re.IGNORECASE)
    if not (match and (simple := _simple(_plain(match["what"])))):
        return None
    meaning = _simple(_plain(match["sample"]))
    if meaning and meaning[0] in (MODEL, BEFORE, OTHER):
        return _make_column_name(text, *meaning, unit)
    return _make_column_name(text, *simple, unit, sample=match["sample"].strip())


def _unit_unknown(text: str, name: str) -> ColumnName | None:
    """A name of q whose bracket is no unit that is known."""
    bracket = _BRACKETS.search(name)
    if bracket and (simple := _simple(_plain(name[: bracket.start()]))) and simple[0] == Q:
        inner = _read_bracket(bracket)
        is_name = (_simple(_plain(inner)) or (NO_Q,))[0] != NO_Q
        return _make_column_name(text, *simple, "" if is_name or not inner.isalpha() else inner)
    return None


def _plain(name: str) -> str:
    plain = re.sub(r"[\s_<>|\"'$\\°]|\^(?!\d)", "", name).lower().strip(".-:,;").translate(_ROUND)
    return re.sub(r"(?<=[a-z])-(?=[a-z])", "", plain)


def _make_column_name(
    text: str, quantity: str, scale: str, factor: float, unit: str, sample: str = ""
) -> ColumnName:
    per_cent = bool(_PER_CENT.search(f"{unit} {text}"))
    if quantity == ERROR and per_cent:
        quantity = RELATIVE
    elif quantity == DQ and per_cent:
        scale = "relative"
    if quantity == RELATIVE or scale == "relative":
        factor = (1 / FWHM if "fwhm" in text.lower() else 1.0) * (0.01 if per_cent else 1.0)
    elif quantity == ERROR and units.canonical(unit, "q") in ("Å⁻¹", "nm⁻¹"):  # no unit of an intensity
        quantity = DQ
    return ColumnName(text, quantity, scale, unit, factor, sample)


def _simple(plain: str) -> tuple[str, str, float] | None:
    """Quantity, no scale and factor of a name that is one of the known ones."""
    for quantity, factor, pattern in _patterns():
        if pattern.fullmatch(plain):
            return quantity, "", factor
    return None


def _understand_scaled(plain: str) -> tuple[str, str, float] | None:
    """Interpret a logarithm, a square, or an intensity times a power of q, as `_simple`."""
    for pattern, quantity, scale in _SCALES:
        if re.fullmatch(pattern, plain):
            return quantity, scale, 1.0
    if match := re.fullmatch(_ERROR_OF_LOGARITHM, plain):
        return ERROR, "ln" if "ln" in match.group("scale", "scale_after") else "log10", 1.0
    if times := _TIMES_Q.fullmatch(plain.replace("**", "^")):
        return INTENSITY, f"q{next(filter(None, times.group('before', 'after', 'last')), '')}", 1.0
    return _understand_function(plain)


def _understand_function(plain: str) -> tuple[str, str, float] | None:
    """Interpret a name in a function's brackets, as log(I)."""
    if function := _FUNCTION.fullmatch(plain):
        kind = str(function.lastgroup)
        if meaning := _function_of(function[kind], kind):
            return meaning
    if logarithm := _LOGARITHM.fullmatch(plain):
        return _function_of(logarithm["of"], "ln" if logarithm["scale"] == "ln" else "log10")
    return None


def _function_of(name: str, scale: str) -> tuple[str, str, float] | None:
    inner = _simple(name)
    return (inner[0], scale, inner[2]) if inner and inner[0] in (Q, INTENSITY) else None


def _read_bracket(bracket: re.Match[str]) -> str:
    """What stands in a bracket, of whichever kind it is."""
    return str(next(part for part in bracket.groups() if part is not None)).strip()


def _split_unit(name: str) -> tuple[str, str]:
    """A name without its unit, and the text of that: in brackets, or behind a sign."""
    for bracket in _BRACKETS.finditer(name):
        inner = _read_bracket(bracket)
        if _is_unit(inner):
            return (name[: bracket.start()] + name[bracket.end() :]).strip(), inner
    return _split_trailing_unit(name)


def _split_trailing_unit(name: str) -> tuple[str, str]:
    for sign, bare in (
        (" in ", True),
        (",", True),
        ("_", True),
        ("*", True),
        (" / ", True),
        (" ", False),
        ("/", True),
    ):
        head, _, tail = name.partition(sign)
        per_cent = sign == " " and _PER_CENT.search(tail)  # "error percent" is a name
        if head and tail and not per_cent and _is_unit(tail.strip(), bare=bare):
            return head.strip(), tail.strip()
    return name, ""


def _is_unit(text: str, *, bare: bool = True) -> bool:
    """Whether a text can be nothing but a unit; ``bare``: also a length, which stands for its inverse."""
    if not text or text.lower() in ("q", "s", "i", "y", "x", "m"):
        return False
    if units.canonical(text, "q") is not None:
        return bare or bool(_UNIT_LIKE.search(text))
    return units.canonical(text, "angle") is not None or (
        bool(_UNIT_LIKE.search(text)) and not re.search(r"const|log|err|dev|sig|unc|res", text, re.IGNORECASE)
    )


# --- What names of columns say beside each other: a stem that all share, signals and their
# --- uncertainties.

_OF_ERRORS = ("sigma", "sig", "error", "err", "std", "d", "e", "s")
_BRACKET = re.compile(r"^(?P<base>.*\S)\s*[\[(][^\[\]()]*[\])]$")
_WITH_ERROR = re.compile(
    r"^(?P<base>.*\S)\s*[\[(]\s*(?:err(?:or)?s?|sigma|sig|std\.?(?:dev)?|s\.?d\.?|unc\w*)\s*[\])]$",
    re.IGNORECASE,
)
_LOWER, _UPPER = (
    re.compile(rf"[IY]\w*(?:\(q\))?\s*{sign}\s*[eds]\w*", re.IGNORECASE) for sign in ("[-\u2212]", r"\+")
)
_ZEROTH = re.compile(r"(?P<stem>[IiJjYy](?:nt\w*?)?[\s_]?\(?)0+\)?")
_LETTERS = {"q": Q, "r": INTENSITY, "i": INTENSITY, "s": ERROR, "dq": DQ, "w": OTHER}
"""Igor's waves of one sample: q, intensity, its uncertainty, the width of a bin, which is no resolution."""


def understand_names(words: Sequence[str]) -> tuple[ColumnName, ...]:
    """Understand column names alone, else without the common beginning or end, as in ``SMR_Int``,
    ``SMR_Error``, ``SMR_Qvec`` or ``Q_a``, ``R_a``, ``S_a``.
    """
    understood, rests = [_understand_in_company(word, words) for word in words], _strip_stem(words)
    if {"q"} < set(rests) <= set(_LETTERS) and {"r", "i"} & set(rests):
        return _restore_texts(understood, [ColumnName(rest, _LETTERS[rest]) for rest in rests])
    inner = list(map(understand, rests))
    if _names_q(inner) and not _names_q(understood):
        understood = list(_restore_texts(understood, inner))
    return pair_columns(_take_error_of_q(understood))


def _take_error_of_q(columns: Sequence[ColumnName]) -> list[ColumnName]:
    """An uncertainty behind q is that of q where the intensity has another: q, error, I, error."""
    quantities, named = [column.quantity for column in columns], list(columns)
    if quantities[:3] == [Q, ERROR, INTENSITY] and ERROR in quantities[3:]:
        named[1] = columns[1]._replace(quantity=DQ, sample="")
    return named


def _understand_in_company(word: str, words: Sequence[str]) -> ColumnName:
    """A name; "A" behind q is a sample's where I has it too, I - err no error beside I + err, and I_0 no
    monitor beside I_90.
    """
    if _LOWER.fullmatch(word) and any(map(_UPPER.fullmatch, words)):
        return ColumnName(word, OTHER)
    zeroth = _ZEROTH.fullmatch(word.strip("<>\"'# "))
    same_stem = rf"{re.escape(zeroth['stem'])}\d*[1-9]\d*\)?" if zeroth else ""
    if zeroth and any(re.fullmatch(same_stem, other.strip("<>\"'# ")) for other in words):
        return ColumnName(word, INTENSITY, sample="0")
    head, _, sample = word.strip().rpartition("_")
    return _understand_letter(word, head, sample) if f"I_{sample}" in words else understand(word)


def _understand_letter(word: str, head: str, sample: str) -> ColumnName:
    """A name whose end, a sample's, could be a length."""
    if not (head and sample.isalpha() and units.canonical(sample, "q")):
        return understand(word)
    return understand(f"{head}_sample_{sample}")._replace(text=word, sample=sample)


def _names_q(columns: Sequence[ColumnName]) -> bool:
    return Q in {column.quantity for column in columns}


def _restore_texts(
    as_written: Sequence[ColumnName], understood: Sequence[ColumnName]
) -> tuple[ColumnName, ...]:
    """What was understood, under the names as they stand in the file."""
    pairs = zip(as_written, understood, strict=True)
    return tuple(meant._replace(text=name.text) for name, meant in pairs)


def _strip_stem(words: Sequence[str]) -> list[str]:
    """Words in small letters without what all end with, else begin with, parted by a sign; empty for none."""
    small = [word.strip("<>\"' \t").lower() for word in words]
    behind = _common([word[::-1] for word in small])
    cut = slice(None, -behind) if behind else slice(_common(small), None)
    return [word[cut] for word in small] if cut != slice(0, None) else []


def _common(words: list[str]) -> int:
    """How many letters, up to a sign, all words begin with that are no whole word."""
    shared = os.path.commonprefix(words)
    length = 1 + max(shared.rfind(sign) for sign in "_ .-")
    return length if 1 < length < min(map(len, words)) and words[1:] else 0


def pair_columns(columns: Sequence[ColumnName]) -> tuple[ColumnName, ...]:
    """Names that say nothing by themselves, but beside each other: "I5 mg/ml" and "sig5 mg/ml"."""
    unknown = {column.text: i for i, column in enumerate(columns) if column.quantity == UNKNOWN}
    renamed = list(columns)
    for text, i in unknown.items():
        if (pair := _signal_of(text, unknown)) is not None:
            signal, sample = pair
            renamed[i] = columns[i]._replace(quantity=ERROR, sample=sample)
            renamed[signal] = columns[signal]._replace(quantity=INTENSITY, sample=sample)
    return tuple(renamed)


def _signal_of(error: str, names: Mapping[str, int]) -> tuple[int, str] | None:
    """The column whose uncertainty a name is, and the sample that both name; None where there is none."""
    pairs = [(name, sample) for sample in _strip_error_prefix(error) for name in (sample, f"I{sample}")]
    signal = next(((names[name], sample) for name, sample in pairs if name in names), None)
    return signal or _signal_beside_bracket(error, names)


def _strip_error_prefix(name: str) -> list[str]:
    """What stands behind a word for an uncertainty at the beginning of a name."""
    return [name[len(prefix) :] for prefix in _OF_ERRORS if name.lower().startswith(prefix)]


def _signal_beside_bracket(error: str, names: Mapping[str, int]) -> tuple[int, str] | None:
    """Find the signal of an error ``I0(err)`` beside ``I0(80)``, or ``dRef (SD)`` beside ``Ref``."""
    bracket = _WITH_ERROR.match(error)
    if bracket is None:
        return None
    base = bracket["base"]
    bases = {_base(name): i for name, i in names.items() if name != error}
    return next(((bases[name], base) for name in (base, *_strip_error_prefix(base)) if name in bases), None)


def _base(name: str) -> str:
    bracket = _BRACKET.match(name)
    return bracket["base"] if bracket else name
