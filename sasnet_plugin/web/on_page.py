"""Sentences that name an option of the command line, for who reads them on the page."""

from __future__ import annotations

import re

#: What stands on the page in the place of words of the command line; longer ones first.
_WORDS = (
    (" (--q-unit A or --q-unit nm)", ""),
    ("check the unit of q (--q-unit)", "check the unit of q"),
    ("give --q-unit to read it as q", "choose a unit of q to read it as q"),
    (
        "give the intensity against q (with its unit, --q-unit,",
        "give the intensity against q (with its unit,",
    ),
    ("; give it with --q-unit", "; give it"),
    (", as asked (--q-unit)", ", as asked"),
    ("give --q-unit nm", "choose nm⁻¹ at “File’s q in”"),
    ("--q-unit nm", "nm⁻¹"),
    ("--q-unit A", "Å⁻¹"),
    ("--q-unit", "the unit of q"),
    (", or classify it as an image: sasnet classify --domain", ""),
    (", or classify its images: sasnet classify --domain", ""),
    ("--geometry: ", ""),
    ("--wavelength 1.5418", "1.5418 Å"),
    ("--wavelength", "the wavelength"),
    (
        "give it, such as --solvent D2O",
        "use the command “sasnet next” with the solvent",
    ),
    ("give it with --sample, or the value with --fixed", "enter its value below and choose “fixed”"),
    ("Give several --models to compare them", "Choose “Find the model” to compare others"),
    ("give its azimuth with --field, such as 0", "enter its azimuth, such as 0"),
    ("Give it with --polarisation", "Enter “Efficiencies” when you fit the curves together"),
    ("“--kind settings”", "“They are: settings”"),
    ("Give --kind if it is another", "Choose “They are” when you fit them together if it is another"),
    (
        'give azimuth and half-width of each curve in degrees, such as --sectors 0:15,90:15, or "along.dat" ='
        " [0, 15] in [sectors]",
        "enter azimuth and half-width of each curve in degrees, such as 0:15",
    ),
    (
        "Name a parameter with --for to plan for its error",
        "The command “sasnet next” can plan for the error of a parameter",
    ),
)
#: Where a geometry is missing, which the page has a box for.
_BESIDE = re.compile(r"give it in (\S+\.toml next to the image)")

_GEOMETRY = re.compile(r"with --geometry \w+=VALUE")


def adapt_to_page(sentence: str) -> str:
    """Return a sentence with what the page has in the place of options.

    Examples
    --------
    >>> adapt_to_page("Give its wavelength, --wavelength 1.5418 for Cu Kα.")
    'Give its wavelength, 1.5418 Å for Cu Kα.'
    """
    for option, words in _WORDS:
        sentence = sentence.replace(option, words)
    sentence = _BESIDE.sub(r"give it above, a line name=value, or in \1", sentence)
    return _GEOMETRY.sub(r"above, a line name=value", sentence)
