"""The sentences about a sample of several curves; what fills their gaps is calculated elsewhere."""

from __future__ import annotations

from ...wording import Phrase, option, template

# What is advised, on each surface.
_KIND = Phrase("Give --kind", "Give kind", "Choose “They are” when you fit them together")
_POLARISATION = Phrase(
    "Give it with --polarisation",
    "Give it with polarisation",
    "Enter “Efficiencies” when you fit the curves together",
)

RENAMED_KEYWORD = template(
    "{old}= is now called {new}=; the old name works until the next release.", old="ties", new="tie"
)
BEST_FIT = template(
    "Best fit: {sample}. Fits {curves} together{excluded} (reduced χ² {chisq}).{ties}{unit}",
    sample="core-shell spheres (core_shell_sphere), number-mean core radius 40.0 ± 0.4 Å",
    curves="3 contrasts of one sample", excluded="", chisq="0.843", ties="", unit="",
)  # fmt: skip
BEST_WITHIN_ERROR = template(
    "Best fit: {sample}. Fits {curves} together{excluded} within a systematic error of {error} % of I"
    " (reduced χ² {chisq}).{ties}{unit}",
    sample="spheres, radius 60.1 ± 0.4 Å", curves="2 settings of one sample", excluded="", error="2",
    chisq="3.1", ties="", unit="",
)  # fmt: skip
TIED = template(" Indistinguishable here: {models}.", models="vesicle and fuzzy_sphere")
ODD_CURVE = template(
    "No fitted model fits {curves}: {odd} disagrees with the others. Without it, {model} would fit the"
    " others.{unit}",
    curves="3 contrasts of one sample", odd="d2o.dat", model="spheres", unit="",
)  # fmt: skip
NO_FIT = template(
    "No fitted model fits {curves}{alone}. Nearest: {model}, reduced χ² {chisq}.{unit}",
    curves="3 contrasts of one sample", alone="", model="spheres", chisq="12", unit="",
)  # fmt: skip
NOT_EVEN_ALONE = template(", nor {curves} alone", curves="p123_30.dat")
INFERRED = template(" (inferred from the curves)")
EXCLUDED = template(" without {points} (beamstop?)", points="the first 2 points of far.dat")

EXCHANGED = template(
    "In this fit each curve has its own scattering length densities. Either not only the"
    " solvent differs (D₂O may also enter the particles), or the curves are not one sample."
)
NOT_ONE = template(
    "The data do not show that the curves are one sample. The joint fit needs separate scattering length"
    " densities for each curve. Separate fits of each curve are better."
)
OTHER_KIND = template(
    "By itself, {curves} looks like another kind of sample; check that it is the same.", curves="d2o.dat"
)
NOISY = template(
    "Residuals of {curves} are random but {factor} times as large as the uncertainties, which seem too"
    " small.",
    curves="d2o.dat", factor="2.4",
)  # fmt: skip
SECOND_DENSITY = template(
    "In two solvents {name} = {value} and {other}×10⁻⁶ Å⁻² give the same curves, with a scale of {scale} and"
    " {other_scale}. What the sample is made of decides, or a third solvent.",
    name="sld", value="0.56 ± 0.05", other="3.13", scale="0.0100", other_scale="0.0323",
)  # fmt: skip
LOOKS_DIFFERENT = template(
    "Where their q ranges overlap, the curves differ as {kind} do. Check whether “{settings}” is right.",
    kind="contrasts", settings=option("kind", "settings", page="They are: settings"),
)  # fmt: skip
KIND_INFERRED = template(
    "The kind of curves ({kind}) was inferred from the curves. {give} if it is another.",
    kind="contrasts of one sample", give=_KIND,
)  # fmt: skip
CHANGING = template(
    "The curves do not share one {name}: it is {values}. Each has its own in this fit.",
    name="polar radius", values="24.5 ± 1.6 Å in a.xml and 40 ± 2 Å in b.xml",
)  # fmt: skip
COMMON_ERROR = template(
    ", with an error mostly common to all curves: the difference is {difference}", difference="15 ± 1 Å"
)
NOT_PROPORTIONAL = template(
    "Volume fractions are not in proportion to the concentrations: {curve} has {found} %, but the others"
    " imply {expected} %.",
    curve="dense.dat", found="8.1", expected="10",
)  # fmt: skip
CALIBRATION = template(
    "The intensities of {curve} need a factor of {factor} to agree with the others. Check its calibration,"
    " and that it is the same sample.",
    curve="far.dat", factor="1.31",
)  # fmt: skip
ANISOTROPIC = template(
    "The sectors deviate by {relative} % from their mean, more than their uncertainties: the sample is"
    " anisotropic, brightest at {azimuth}°.",
    relative="34", azimuth="90",
)  # fmt: skip
FIELD = template(
    "If a magnetic field saturates the sample, give its azimuth with {field}.",
    field=option("field", page="“Field”"),
)
ISOTROPIC = template(
    "The sectors agree within {relative} %: the sample is isotropic.",
    relative="1.2",
)
ISOTROPIC_PART = template("isotropic part of the axes {part} %", part="31.2 ± 0.4")
FIT_AVERAGE = template("Fit its average over all azimuths.")
NEXT = template("Next: {command}", command="sasnet fit along.dat across.dat --together")
MAGNETIC_SEEN = template(
    "Magnetic scattering: the magnetic contrast is {contrast} of the nuclear one.", contrast="0.42 ± 0.02"
)
MAGNETIC_CORE = template(
    "Magnetic scattering: the magnetic contrast of the core is {contrast} of its nuclear one. {radius}",
    contrast="0.42 ± 0.02",
    radius="The magnetic radius is 46.2 ± 0.8 Å, 3.1 ± 0.8 Å less than that of the core.",
)  # fmt: skip
SAME_RADIUS = template("No difference is seen between the magnetic radius and that of the core.")
MAGNETIC_RADIUS = template(
    "The magnetic radius is {radius}, {layer} {direction} that of the core.",
    radius="46.2 ± 0.8 Å", layer="3.1 ± 0.8 Å", direction="less than",
)  # fmt: skip
POLARISATION_FITTED = template(
    "The polarisation of the neutrons is not given: it is fitted. {give}.",
    give=_POLARISATION,
)
NOT_MAGNETIC = template(
    "No magnetic scattering seen: at most {most} % of the nuclear scattering.", most="4.1"
)
REVERSED = template(
    "It is brighter along the field, by {more} %, where a saturated magnet scatters least. Aligned particles"
    " do so, spins that the field has not aligned (a bulk ferromagnet below saturation), a field of another"
    " direction than the one given, or sectors that are not on one scale.",
    more="34",
)  # fmt: skip
ALIGNED = template(
    "Aligned particles explain the sectors without magnetic scattering. To be sure, measure without field:"
    " the sectors must then stay as different."
)
ALIGNED_AS_WELL = template(
    "Aligned particles without magnetic scattering fit as well ({model}, order parameter P₂ {order})."
    " Measure without field: magnetic sectors must then agree, those of aligned particles stay different.",
    model="ellipsoid", order="0.41 ± 0.02",
)  # fmt: skip
STRUCTURE_ISOTROPIC = template(
    "The magnetic part assumes that the structure is isotropic and the field saturates the sample. To check"
    " the first, measure without field: the sectors must then agree."
)
FIXED_DIRECTION = template(
    "Two sectors do not determine the direction of alignment: it is fixed at {direction}°. Add a third"
    " sector to fit it.",
    direction="90",
)  # fmt: skip
MIRRORED = template(
    "Two sectors at right angles fit as well with the direction of alignment {direction}°. Add a third"
    " sector between them.",
    direction="-25",
)  # fmt: skip
OTHER_ORIENTATION = template(
    "Another orientation fits as well: order parameter P₂ {order}, direction of alignment {direction}°.",
    order="-0.25", direction="109",
)  # fmt: skip
TO_LOOK = template("look at all curves with their fits")
TO_GO_ON = template("see all curves with their fits, and continue in SasView or Bumps")
