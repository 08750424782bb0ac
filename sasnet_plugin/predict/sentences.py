"""The sentences of a short answer about a curve; what fills their gaps is calculated elsewhere."""

from __future__ import annotations

from ..wording import template

CAUTION = template("Caution: {caution}", caution="The file names no unit of q.")
KINDS = template(
    "Kind of model: {kinds}. At least one library model fits: {in_scope}.",
    kinds="globular (spheres, core-shell spheres, vesicles) 83 %, elongated or flattened 15 %",
    in_scope="98 %",
)  # fmt: skip
NEXT = template("Next{condition}: {command}", condition="", command="sasnet fit data.dat")
DETAILS = template("  # or --details for everything")
DETAILS_NOTES = template("  # or --details for everything (notes: {count})", count=2)
