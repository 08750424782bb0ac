"""The sentences of a verdict: best fit, caution, next step; what fills their gaps is calculated elsewhere."""

from __future__ import annotations

from ...wording import template

# The first line.
BEST_FIT = template(
    "Best fit: {sample}. Fits the data{excluded} (reduced χ² {chisq}).{ties}",
    sample="spheres, number-mean radius 62.0 ± 0.1 Å, polydispersity 10.9 ± 0.2 % (Gaussian)",
    excluded="", chisq="0.98", ties="",
)  # fmt: skip
BEST_WITHIN_ERROR = template(
    "Best fit: {sample}. Fits the data within {error}, but not within the {source} uncertainties"
    " (reduced χ² {chisq}).{ties}",
    sample="spheres, radius 62.0 ± 0.1 Å", error="a systematic error of 2.1 % of I", source="stated",
    chisq="3.1", ties="",
)  # fmt: skip
DESCRIBED = template(
    "Best fit: {sample}. Describes the curve within {error} % of I, not within the {source}"
    " uncertainties.{ties}",
    sample="spheres, radius 62.0 ± 0.1 Å", error="4.1", source="stated", ties="",
)  # fmt: skip
EXCLUDED_POINT = template(" without the first point (beamstop?)")
EXCLUDED_POINTS = template(" without the first {count} points (beamstop?)", count=3)
TIED = template(" Indistinguishable from {first} here: {models}.", first="sphere", models="core_shell_sphere")
LESS_SIMPLE = template(
    " The model {model} has more weight ({weight} %) but also more parameters.",
    model="core_shell_sphere",
    weight=68,
)
TIED_WITHIN_ERROR = template(
    " Within {error}, also indistinguishable from {first}: {models}.",
    error="a systematic error of 3 % of I", first="sphere", models="fuzzy_sphere",
)  # fmt: skip
NO_SHAPE = template(
    "These data show no shape: {models} fit them{within} (reduced χ² {chisq}).{agreement}",
    models="sphere, cylinder and 3 more models", within="", chisq="1.02",
    agreement=" They agree on an outer radius of 490 ± 3 Å.",
)  # fmt: skip
NO_STRUCTURE = template("No structure: constant {value}.", value="5.00 ± 0.01 cm⁻¹")
NOTHING_FITTED = template("No model could be fitted.")
NO_FIT = template(
    "None of the fitted models fits {within}. Nearest: {nearest}, reduced χ² {chisq}.{more}",
    within="the data", nearest="spheres", chisq="199", more="",
)  # fmt: skip
ANOTHER_WOULD_FIT = template(
    "{nearest} fit the data (reduced χ² {chisq}). The model {best} does not (reduced χ² {best_chisq}); it"
    " ranks first only because it is simpler or more common.",
    nearest="Core-shell spheres (core_shell_sphere)", chisq="1.1", best="sphere", best_chisq="3.1",
)  # fmt: skip
AGREEMENT = template(" {fits} agree on {size}.", fits="They", size="an outer radius of 490 ± 3 Å")
WITHOUT_MODEL = template("Without a model: {values}. ", values="Rg 58.8 ± 0.8 Å (Guinier)")
RG = template("Rg {rg} Å (Guinier)", rg="58.8 ± 0.8")
MAXIMUM = template("maximum at q = {q} Å⁻¹ (2π/q = {d} Å)", q="0.0762 ± 0.0004", d="82.5")
SLOPE = template(
    "slope {exponent} from q = {low} to {high} Å⁻¹", exponent="−4.0 ± 0.1", low="0.1", high="0.3"
)
OVER = template("{length} over {longest} Å, the largest that these data show", length="length", longest="310")
VOLUME_FRACTION = template(
    ", volume fraction{what} {value}{condition}", what="", value="1.60 ± 0.06 %", condition=""
)
WALLS = template(" of the walls")
IF_ABSOLUTE = template(" (if I is in cm⁻¹)")
SURROUNDINGS = template(
    " ({how} {temperature} K, dielectric constant {dielectric}{salt})", how="assumed:", temperature="298",
    dielectric="78.3", salt=", no salt",
)  # fmt: skip
AT, ASSUMED = template("at"), template("assumed:")
NO_SALT = template(", no salt")
NO_VALUE = template("none of its values is determined by these data")
OPEN_VALUES = template("{names} not determined by these data", names="length and shell thickness")

# How names of models are read, once on every surface that prints them.
NAMES = template("A@B is the form factor A with the structure factor B; A+B is a sum of two models.")

# Below the values of the best fit, where the headline's errors contain more.
MODEL_ERRORS = template(
    "These errors are of this model alone. The headline's errors also include the spread over the equally"
    " good models: quote those."
)

# Cautions about the search.
NOT_FITTED = template(
    "For a technical reason, {models} could not be fitted. The answer may change.", models="core_shell_sphere"
)
ENDED_BY_USER = template(
    "You ended the search early. A better fit may exist, and the uncertainties may be larger."
)
LEFT_UNFITTED = template(
    "The time limit left {models} unfitted; {which} may fit better.", models="vesicle", which="it"
)
UNFINISHED = template(
    "The time limit cut the fit of {models} short. With more time {which} may fit better.",
    models="vesicle", which="it",
)  # fmt: skip
ENDED_BY_TIME = template("The time limit ended the search early, so a better fit may exist.")
FEW_POINTS = template(
    "Only {points} points for {parameters} fitted parameters: hardly any model would fail.",
    points=9, parameters=6,
)  # fmt: skip
RANGE_ENDS = template(
    "The range given for {name}, {range}, ends at the fitted value. It may exclude the answer.",
    name="radius", range="10 to 30 Å",
)  # fmt: skip

UNDETERMINED = template(
    "{names} cannot be fitted: these data do not determine {pronoun} beside the other parameters. Fix one of"
    " the others.", names="sld_solvent", pronoun="it",
)  # fmt: skip

# Cautions about the instrument and the uncertainties.
SLIT = template(
    "A slit that the file does not state may smear these data. With a slit of half length {length} Å⁻¹,"
    " {model} fits{fewer} (reduced χ² {chisq}).",
    length="0.03", model="sphere", fewer=" with fewer parameters", chisq="1.1",
)  # fmt: skip
SIMPLER = template(
    "The simpler model {model} fits these data too (reduced χ² {chisq}). Prefer it, unless the sample is"
    " known to differ.",
    model="sphere", chisq="1.1",
)  # fmt: skip
PARASITIC = template(
    "The lowest points may contain parasitic scattering. Without the first {points}, {model} fits{fewer} from"
    " q = {q} Å⁻¹ on (reduced χ² {chisq}).",
    points=4, model="sphere", fewer=" with fewer parameters", q="0.012", chisq="1.1",
)  # fmt: skip
NO_UNCERTAINTIES = template(
    "The data state no uncertainties. So χ² says only that the fit follows the points; a small misfit would"
    " not show."
)
NO_UNCERTAINTIES_BUT_SCATTER = template(
    "The data state no usable uncertainties. The fit misses the points by {misfit} % of I; neighbouring"
    " points scatter by {scatter} %.",
    misfit="1.2", scatter="1.1",
)  # fmt: skip
CALCULATED = template(
    "The data state no usable uncertainties. The fit follows the points within {misfit} % of I, closer than"
    " a measurement would be: these data may be calculated.",
    misfit="0.001",
)  # fmt: skip
REPLACED = template(
    "{share} % of the stated uncertainties are unusable and were replaced by those of neighbouring points,"
    " so χ² is less certain.",
    share=20,
)  # fmt: skip
TOO_LARGE = template(
    "The stated uncertainties are about {factor} times the scatter of neighbouring points, so they hardly"
    " reject any model.",
    factor=5,
)  # fmt: skip
TOO_SMALL = template(
    "Neighbouring points scatter by {factor} times the stated uncertainties, which are too small. The errors"
    " of the values allow for this.",
    factor=3,
)  # fmt: skip
UNDERSTATED = template(
    "The stated uncertainties are too small: neighbouring points scatter by {factor} times as much. The fit"
    " uses this scatter.",
    factor=310,
)  # fmt: skip
HIDDEN_MISFIT = template(
    "The fit misses the points by {misfit} % of I, but neighbouring points scatter by only {scatter} %."
    " The model may be incomplete.",
    misfit="4", scatter="0.5",
)  # fmt: skip
STRUCTURED = template(
    "Residuals are not random (runs test {runs} σ), largest between q = {low} and {high} Å⁻¹.",
    runs="-5.1", low="0.013", high="0.037",
)  # fmt: skip
RANDOM_BUT_LARGE = template(
    "Residuals are random but {factor} times as large as the uncertainties. The errors of the values"
    " allow for this.",
    factor="1.8",
)  # fmt: skip
BEYOND_ERRORS = template(
    "The misfit is larger than the errors. Either the errors are too small, or the model is incomplete."
)
DESCRIBED_ONLY = template(
    "No model fits within the {source} uncertainties. They are too small, or the models are incomplete. The"
    " errors of the values allow for the misfit.",
    source="stated",
)  # fmt: skip
MISFIT_AT = template(
    "The residuals are largest between q = {low} and {high} Å⁻¹, so the models are incomplete there.",
    low="0.013", high="0.037",
)  # fmt: skip
MISFIT_RANDOM = template(
    "The residuals are random but about {factor} times the {source} uncertainties, largest between q = {low}"
    " and {high} Å⁻¹. These uncertainties may be far too small.",
    factor=12, source="stated", low="0.013", high="0.037",
)  # fmt: skip

# Cautions about the model.
MUCH_NEARER = template(
    "Much nearer: {model}, reduced χ² {chisq} instead of {best_chisq}.",
    model="core-shell spheres (core_shell_sphere)", chisq="1.1", best_chisq="4.8",
)  # fmt: skip
CHOICE = template("Sizes and contrasts depend on the model, and the data do not decide between the models.")
OTHER_SHAPES = template("Other shapes fit equally well{within}: {models}.", within="", models="cylinder, dab")
OTHER_SHAPE = template(
    "Another shape, {kind}, fits equally well{within} ({model}, reduced χ² {chisq}).",
    kind="cylinders", within="", model="cylinder", chisq="1.03",
)  # fmt: skip
SIMPLER_SHAPE = template(
    "A simpler shape, {kind}, also fits the data ({model}, reduced χ² {chisq} instead of {best_chisq}).",
    kind="cylinders", model="cylinder", chisq="1.09", best_chisq="1.01",
)  # fmt: skip
SAME_AS_COILS = template(
    "Polydisperse coils with Mw/Mn = 2 (poly_gauss_coil) give exactly this curve, with Rg {rg}.",
    rg="48.3 ± 0.3 Å",
)  # fmt: skip
SECOND_UNSEEN = template(
    "A second contribution improves the fit (reduced χ² {chisq} instead of {best_chisq}), but these data do"
    " not determine its size.", chisq="1.02", best_chisq="1.24",
)  # fmt: skip
OTHER_SIZE = template(
    "{model}, which fits equally well, has another {name}: {value}.",
    model="vesicle", name="outer radius", value="88.1 ± 0.9 Å",
)  # fmt: skip
OPPOSITE_CONTRASTS = template(
    "Contrasts of the opposite sign give the same curve, those of {values}. What the sample is made of"
    " decides, or another solvent.",
    values="sld_core 0.55 and sld_shell 3 (10⁻⁶ Å⁻²)",
)  # fmt: skip
MIXTURE_TOO = template(
    "Hard spheres whose sizes differ also fit the data if each pair of sizes has its own structure factor"
    " (reduced χ² {chisq}): {values}. sasmodels uses one structure factor for all sizes.",
    chisq="1.02", values="mean radius 60.1 Å, polydispersity 9.1 %, volume fraction 24 %",
)  # fmt: skip
MIXTURE_BETTER = template(
    "sasmodels uses one structure factor for all sizes. With one for each pair of sizes, these spheres fit"
    " better (reduced χ² {chisq}): {values}.",
    chisq="1.02", values="mean radius 60.1 Å, polydispersity 9.1 %, volume fraction 24 %",
)  # fmt: skip
OPEN_LENGTHS = template(
    "The {names} {verb} not determined by these data: a model without {pronoun} may fit equally well.",
    names="shell thickness", verb="is", pronoun="it",
)  # fmt: skip
OPEN_EXPONENTS = template(
    "The {names} {verb} not determined by these data: other values, with other parameters changed"
    " too, give the same curve.",
    names="correlation length", verb="is",
)  # fmt: skip
ATOMIC = template(
    "The {name}, {value}, is a length of atoms and molecules, which no library model describes. Is q in"
    " another unit?",
    name="radius", value="2.1 ± 0.1 Å",
)  # fmt: skip
WEAK_INTERACTION = template(
    "The data do not determine {names}, so this interaction is not certain. Other"
    " interactions or aggregates may have the same effect.",
    names="the charge",
)  # fmt: skip

# Cautions from the classifier.
OUT_OF_SCOPE = template(
    "Only {probability} likely to be a single library model: the curve may be a mixture, or hold an"
    " artefact.",
    probability="12 %",
)  # fmt: skip
UNLIKELY_BUT_FITS = template(
    "The network finds no library model likely ({probability}), but {model} fits the data. {advice}",
    probability="5 %", model="lorentz", advice="Trust the fit, because it tested the model.",
)  # fmt: skip
TRUST_FIT = template("Trust the fit, because it tested the model.")
RATHER_SIZE = template("Trust the size more than the shape.")
TRUST_SIZE = template(
    "A sum can also fit a particle outside the library, such as a protein. Then trust the size, not the"
    " shape."
)
NOT_A_MODEL = template(
    "Only {probability} likely to be a library model; it may be a protein, for example. Trust the size, not"
    " the shape.",
    probability="8 %",
)  # fmt: skip
CLASSIFIER_DISAGREES = template(
    "The network expects “{group}” ({probability}), but the best fit is {model}. {comparison}",
    group="cylinders and boxes", probability="85 %", model="sphere",
    comparison="None of that group was fitted.",
)  # fmt: skip
NONE_COMPARED = template("None of that group was fitted.")
NEAREST_OF_GROUP = template(
    "The nearest of that group is {model} (reduced χ² {chisq}).", model="cylinder", chisq="1.8"
)

# What the next command is for.
TO_LOOK = template("look at data, fits and residuals")
TO_GO_ON = template("continue in SasView or Bumps")
TO_SEE_ALL = template("see all fits, parameters and warnings")
TO_SEE_WHERE = template("see where the fits fail")
TO_FINISH = template("let the search finish")
IF_NANOMETRES = template("if q is in nm⁻¹")
SIMPLER_MODEL = template("with the simpler model")
OWN_VALUE = template("with your own value of {name} instead of {value}", name="thickness", value="12")
EXPECTED_MODEL = template("with the model that the network expects")
MORE_TIME = template("with more time")
ALL_MODELS = template("with all models")
WITHOUT_END = template("without the {end} q, where the misfit is largest", end="small")
