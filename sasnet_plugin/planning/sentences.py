"""The sentences of ``sasnet next``; what fills their gaps is calculated elsewhere."""

from __future__ import annotations

from ..wording import Phrase, option, template

# What a plan may advise, on each surface.
_AIM = Phrase(
    "Name a parameter with --for to plan for its error",
    'Plan for the error of a parameter with parameter="radius"',
    "The command “sasnet next” can plan for the error of a parameter",
)
_COMPARE = Phrase(
    "Give several --models to compare them.",
    "Give several models to compare them.",
    "Choose “Find the model” to compare others.",
)
_SOLVENT = Phrase(
    "give it, such as --solvent D2O",
    'give it, such as solvent="D2O"',
    "use the command “sasnet next” with the solvent",
)
_MATERIAL = Phrase(
    "give it with --sample, or the value with --fixed",
    "give it with sample, or the value with fixed",
    "enter its value below and choose “fixed”",
)

NOW = template("Now: {models}.", models="sphere 45 %, ellipsoid 40 %, vesicle 15 %")
MEASURE_NEXT = template(
    "Measure next: {measurement}, for {time}. The likeliest model is then the right one with a probability"
    " of {chance} (now {now}).",
    measurement="in 40%D2O", time="0.5 × the present time", chance="95 %", now="45 %",
)  # fmt: skip
MEASURE_FOR_ERROR = template(
    "Measure next: {measurement}, for {time}. The error of {parameter} is then {error} (now {now}).",
    measurement="higher q, 0.02 to 0.4 Å⁻¹", time="2 × the present time", parameter="radius",
    error="0.4 Å", now="1.1 Å",
)  # fmt: skip
NOTHING_DECIDES = template(
    "None of these measurements decides: even after {time}, the likeliest model is the right one with a"
    " probability of {chance} at most ({measurement}; now {now}).",
    time="64 × the present time", chance="58 %", measurement="in 40%D2O", now="51 %",
)  # fmt: skip
NOTHING_IS_PRECISE = template(
    "None of these measurements determines {parameter} to {aim}: even after {time}, the best leaves an error"
    " of {error} ({measurement}; now {now}).",
    aim="1 %", parameter="radius", time="64 × the present time", error="0.9 Å", measurement="in D2O",
    now="1.1 Å",
)  # fmt: skip
SEARCHED = template(
    "The time to {aim} is calculated for the best {count} measurements; – stands for the others.",
    aim="95 %", count="3",
)  # fmt: skip
MEAN_OF_MODELS = template(
    "The error of {parameter} is the mean over {models}, weighted by their probabilities.",
    parameter="radius", models="sphere and fuzzy_sphere",
)  # fmt: skip
SAME_CURVES = template(
    "The models {first} and {second} give the same curve in every measurement compared; no counting time"
    " separates them.",
    first="sphere", second="fuzzy_sphere",
)  # fmt: skip
COUNTED = template(
    "sasnet fit treats {names} like a simpler model, because these data do not determine the extra"
    " parameter. Another measurement may determine it.",
    names="ellipsoid",
)  # fmt: skip
ONE_LEFT = template(
    "Only {model} is left with a probability above {least}, so there is nothing to decide. {aim}.",
    model="sphere", least="1 %", aim=_AIM,
)  # fmt: skip
ONE_FITTED = template(
    "Only {model} was fitted, so there is nothing to decide. {compare} {aim}.",
    model="sphere", compare=_COMPARE, aim=_AIM,
)  # fmt: skip
NO_PLAN_OF_SECTORS = template(
    "A next measurement is planned from isotropic curves, not from sectors; give the average over all"
    " azimuths."
)
NO_OPTION = template(
    "{name}: there is no such option of a plan; use {names}.", name="solvent", names="parameter, solvents"
)
WRONG_OPTION = template(
    "{name}: {value!r} is not possible; write it such as {example}.", name="aim", value="much", example="0.95"
)
NOT_A_MATERIAL = template(
    "{given!r} is no part with its material; write name=formula@density, such as"
    " sld_shell=C6H7H[1]3O5@1.5.",
    given="sld_shell",
)  # fmt: skip
WRONG_MATERIAL = template(
    "{name}={material}: {material} is no formula with a density in g/cm³, such as C6H7H[1]3O5@1.5.",
    name="sld_shell", material="C6Qq7@1.5",
)  # fmt: skip
NOT_A_CHANGE = template(
    "{given!r} is no change of a sample; write name=number, such as sld_core=6.2,scale=0.02.",
    given="sld_core",
)
NO_EARLIER_PLAN = template(
    "The earlier plan is none; give what sasnet next answered before the new measurement."
)
NONE_OFFERED = template(
    "none of the planned measurements has values to set; give the values to set for each name in the plan."
)
NOT_COMPARED = template(
    "Whether the earlier plan held is unknown: {reason}.",
    reason="fit the new curve together with the earlier ones",
)  # fmt: skip
FIT_TOGETHER = template("fit the new curve together with the earlier ones")
OTHER_SOLVENT = template("the new curve was measured in another solvent than planned")
OTHER_RANGE = template("the new curve has too few points at the q of the plan")
EXCHANGE_IGNORED = template(
    "The fit has {name} = {value}, but {material} has {density} in the present solvent. Fit again with {name}"
    " fixed at {density}, or plan without this material.",
    name="sld_shell", value="4.1", material="C6H7H[1]3O5@1.5", density="2.52",
)  # fmt: skip
NO_NEUTRONS = template(
    "No other solvents are compared, because heavy water changes the contrast for neutrons only."
)
REACHED = template(
    "{model} already leads with a probability of {now}, so that the aim of {aim} is reached.",
    model="sphere", now="97 %", aim="95 %",
)  # fmt: skip
DECIDE_MORE = template(
    "To decide more: {measurement}, for {time}, leads to {chance}.",
    measurement="in 40%D2O", time="0.5 × the present time", chance="99 %",
)  # fmt: skip
REACHED_ERROR = template(
    "The error of {parameter} is already {now}, so that the aim of {aim} is reached.", parameter="radius",
    now="0.3 Å", aim="1 %",
)  # fmt: skip
ENDED = template(
    "Ended early: {done} of {of} measurements were compared, and not all counting times were calculated.",
    done="3", of="9",
)  # fmt: skip
NO_TIME = template("The time was up before any measurement was compared. Give a longer time limit.")
NOT_SEARCHED = template(
    "So far {measurement} is best; the time to {aim} was not calculated.", measurement="in 40%D2O",
    aim="95 %",
)  # fmt: skip
NO_SOLVENT = template(
    "No other solvents are compared, because the present one is not given; {give}.",
    give=_SOLVENT,
)
NOT_WATER = template(
    "No other solvents are compared, as {solvent} is not water: name the possible ones, such as"
    " {solvents}.",
    solvent="toluene", solvents=option("solvents", "toluene,d-toluene"),
)  # fmt: skip
UNKNOWN_DENSITIES = template(
    "{names} {are} not known, so the intensity in another solvent is uncertain. If you know the material,"
    " {give}.",
    names="sld", are="is", give=_MATERIAL,
)  # fmt: skip
NO_PARAMETER = template(
    "{name}: is a fitted parameter of none of the possible models; choose one of {names}.", name="radius",
    names="length, radius_pd",
)  # fmt: skip
NOT_IN_MODELS = template(
    "{name}: none of the fitted models has this parameter; choose one of {names}.", name="sld_coer",
    names="sld_core, sld_shell",
)  # fmt: skip
NOTHING_TO_PLAN = template(
    "{file}: no model fits these data, so there is nothing to plan from. Look at the fit first: sasnet fit"
    " {file}",
    file="data.dat",
)  # fmt: skip
NOT_FIT = template(
    "No model fits the data to their uncertainties. The plan compares the nearest ones, so take it with"
    " caution."
)
HELD = template(
    "The new curve is as predicted for {model} (reduced χ² {chisq}). The plan gave the right model a chance"
    " of {chance} to lead. Now {model} leads with a probability of {now}.",
    model="ellipsoid", chisq="1.1", chance="95 %", now="99 %",
)  # fmt: skip
DECIDED_LESS = template(
    "The new curve is as predicted for {model} (reduced χ² {chisq}), but it decides less than planned. The"
    " plan gave the right model a chance of {chance} to lead. Now {model} leads with a probability of only"
    " {now}.",
    model="ellipsoid", chisq="1.1", chance="95 %", now="65 %",
)  # fmt: skip
LED_OTHERWISE = template(
    "{model} leads with a probability of {now}, but the plan predicted this curve for {nearest}, not for"
    " {model}.",
    model="ellipsoid", now="65 %", nearest="sphere",
)  # fmt: skip
DID_NOT_HOLD = template(
    "The plan did not hold: none of its models predicted the new curve (reduced χ² {chisq} at best). The"
    " sample may differ, or a model may be missing.",
    chisq="14",
)  # fmt: skip
PLANNING = template("planning the next measurement")
SAME_AGAIN = template("the same again")
OTHER_Q = template("{word} q, {low} to {high} Å⁻¹", word="higher", low="0.02", high="0.4")
IN_SOLVENT = template("in {solvent}", solvent="40%D2O")
DILUTED = template("diluted to {share}", share="1/4")
TIMES = template("{factor} × the present time", factor="4")
AT_MOST = template("{time} or less", time="600 s")
SECONDS = template("{seconds} s", seconds="600")
BY_MODEL = template("According to {model}", model="core_shell_sphere")
BY_PART = template("For {name} of {model}", name="sld_shell", model="core_shell_sphere")
BY_SERIES = template("From I(0) of the curves")
MATCH_POINT = template(
    "{part}, the match point is at {fraction} % D2O, with a scattering length density of"
    " ({density})·10⁻⁶ Å⁻².", part="According to sphere",
    fraction="41.2 ± 1.5", density="2.30 ± 0.10",
)  # fmt: skip


def percent(share: float) -> str:
    """A probability for people."""
    if 0.995 < share:
        return "> 99 %"
    return "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"
