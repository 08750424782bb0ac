"""Sentences of what a curve of a protein says and does not say."""

from __future__ import annotations

from ..wording import template

NO_SIGNAL = template(
    "no signal above the buffer: the first {points} points average {level} of their standard deviation",
    points=20, level="0.4",
)  # fmt: skip
RISES = template("the intensity does not fall from the lowest q on, as with repulsion or below a peak")
LATE = template(
    "no Guinier region: the curve begins at {q} Å⁻¹, where q·Rg is {qrg}; measure from {wanted} Å⁻¹ on",
    q="0.05", qrg="1.9", wanted="0.02",
)  # fmt: skip
UNCERTAIN = template("no Guinier region: the curve determines Rg to {percent} % only", percent="31")
UNEXPLAINED = template(
    "no p(r) fits the curve (reduced χ² {chisq}): the particles interact, or the errors are too small",
    chisq="23",
)  # fmt: skip
BEYOND = template(
    "p(r) does not end below {length} Å, {ratio} times Rg: a chain, aggregates, or a background",
    length="230", ratio="6.5",
)  # fmt: skip
FEW = template("only {points} points with an intensity and an uncertainty; at least {least} are needed",
    points=6, least=15)  # fmt: skip
SLIT = template("a slit has smeared the curve; desmear it first")
NO_SCALE = template(
    "The concentration was not used: the file does not say that its intensities are in cm⁻¹. If they are, add"
    " --absolute."
)
NO_MASS = template("there is no molecular weight")
DISAGREE = template(
    "The ways to the molecular weight disagree. Distrust {method}: it gives {value} kDa.",
    method="I(0) and concentration", value="98 ± 11",
)  # fmt: skip
OFF_MONOMERS = template(
    "The molecular weight, {mass} kDa, is more than two errors off that of the likeliest number of monomers"
    " ({number}: {whole} kDa).", mass="47 ± 9", number=1, whole="77",
)  # fmt: skip
AGGREGATES = template(
    "Aggregates add {share} % to I(0) at the lowest q. They are allowed for in the errors.", share="3.1 ± 0.9"
)
REPULSION = template(
    "Repulsion takes {share} % from I(0) at the lowest q. Measure a lower concentration, too.",
    share="3.6 ± 1.2",
)  # fmt: skip
DISTURBED = template("The first {count} points are disturbed and were excluded.", count=3)
UNDERSTATED = template(
    "The uncertainties are too small: {percent} % of systematic error was added.", percent="0.9"
)
FLEXIBLE = template(
    "The particle is flexible or unfolded. The molecular weight holds for folded proteins only."
)
UNUSUAL = template("The shape is unlike those of the simulated proteins; distrust the molecular weight.")
DAMAGE = template(
    "Frames differ by more than noise (CorMap, p = {p}): radiation damage or drift.", p="0.0002"
)
# What holds of particles without a model.
PARTICLES = template(
    "{kind} particles, Rg {rg} Å{length}{mass}.", kind="Compact", rg="35.6 ± 0.4",
    length=", longest distance 102 ± 6 Å", mass=", if a protein 150 ± 20 kDa",
)  # fmt: skip
LENGTH = template(", longest distance {value} Å", value="102 ± 6")
MASS = template(", molecular weight {value} kDa", value="150 ± 20")
MASS_OF_PROTEIN = template(", if a protein {value} kDa", value="150 ± 20")
EXPLAINS = template(
    "The structure {file} explains the curve (reduced χ² {chisq}).", file="model.pdb", chisq="1.1"
)
MISFITS = template(
    "The structure {file} does not explain the curve: largest misfit at q = {q} Å⁻¹, where the curve lies"
    " {percent} % {side} that of the structure (reduced χ² {chisq}).",
    file="model.pdb", q="0.061", percent="9", side="above", chisq="4.6",
)  # fmt: skip
STRUCTURE_SIZE = template(
    "Rg of the structure in solution is {structure} Å, that of the curve {curve} Å.", structure="24.1",
    curve="26.3 ± 0.2",
)  # fmt: skip
UNUSUAL_RESIDUES = template(
    "The structure has residues without known hydrogens ({names}); its curve is less certain.", names="UNL"
)
NO_PACKAGE = template(
    "The structure was not compared: {package} is not installed; add it {install}", package="pyausaxs",
    install="in the folder of sasnet's source: pip install '.[protein]'",
)  # fmt: skip
NO_FILE = template("{file}: there is no such structure file; check the path", file="model.pdb")
NO_STRUCTURE = template("{file} cannot be read as a structure; give a PDB or mmCIF file", file="model.pdb")
NO_ATOMS = template("{file} has no atoms of a structure; give a PDB or mmCIF file", file="model.pdb")
FEW_ATOMS = template(
    "{file} has only {count} atoms; a structure of a protein has at least {least}", file="model.pdb", count=1,
    least=50,
)  # fmt: skip
UNKNOWN_ATOMS = template(
    "{file} has {count} atoms of unknown elements ({names}); correct or remove them", file="model.pdb",
    count=3, names="X",
)  # fmt: skip
MANY_ATOMS = template(
    "{file} has {count} atoms; curves of at most {most} are computed", file="model.pdb", count=412000,
    most=150000,
)  # fmt: skip
NOT_COMPUTED = template(
    "{file}: AUSAXS computes no curve ({reason})", file="model.pdb", reason="it has too few atoms"
)
STRUCTURE_NEEDS_RG = template("The structure was not compared, because the curve gives no Rg")
