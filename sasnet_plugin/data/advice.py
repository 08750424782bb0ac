"""What sentences about files advise: options of the command line, keywords of Python, fields of the page."""

from __future__ import annotations

from ..wording import Phrase, option

GIVE_NM = Phrase("give --q-unit nm", 'give q_unit="nm"', "choose nm⁻¹ at “File’s q in”")
UNITS_OF_Q = Phrase(" (--q-unit A or --q-unit nm)", ' (q_unit="A" or q_unit="nm")', "")
UNIT_OF_Q = Phrase(" (--q-unit)", " (q_unit)", "")
WITH_UNIT_OF_Q = Phrase(" with --q-unit", " with q_unit", "")
READ_AS_Q = Phrase("give --q-unit", "give q_unit", "choose a unit of q")
Q_UNIT = option("q-unit", page="the unit of q")
WAVELENGTH = option("wavelength", page="the wavelength")
CU_K_ALPHA = option("wavelength", 1.5418, page="1.5418 Å")
ALL_Q = Phrase("--q-range 0:", "curve.within(0)", "--q-range 0:")
OTHER_RANGE = Phrase("choose another --q-range", "take another range of q", "choose another range of q")
AS_IMAGE = Phrase(
    ", or classify it as an image: sasnet classify FILE --domain sans (sasnet classify -h lists the kinds)",
    ", or classify it as an image: sasnet classify FILE --domain sans",
    "",
)
ITS_IMAGES = Phrase(
    ", or classify its images: sasnet classify FILE --domain sans (sasnet classify -h lists the kinds)",
    ", or classify its images: sasnet classify FILE --domain sans",
    "",
)
FIT_IMAGE = Phrase("sasnet fit --domain sans2d, or with fit_image in Python", "fit_image", "the tab Images")
DO_NOT_GIVE_UNIT = Phrase("do not give --q-unit", "do not give q_unit", "choose no unit of q")
GIVE_SECTORS = Phrase(
    "give azimuth and half-width of each curve in degrees, such as --sectors 0:15,90:15, or"
    ' "along.dat" = [0, 15] in [sectors]',
    "give azimuth and half-width of each curve in degrees, such as sectors=[(0, 15), (90, 15)]",
    "enter azimuth and half-width of each curve in degrees, such as 0:15",
)
GIVE_FIELD = Phrase("give its azimuth with --field", "give its azimuth with field", "enter its azimuth")
#: What settings that were given with an option are called where one of them is wrong.
SETTINGS_GIVEN = option("geometry", page="the settings given")
GEOMETRY = Phrase("with --geometry", "with geometry", "in the tab Images")


def geometry(setting: str) -> Phrase:
    """How a setting of an image, ``distance=VALUE``, is given."""
    return Phrase(
        f"with --geometry {setting}", f'with geometry=["{setting}"]', f"in the tab Images: {setting}"
    )
