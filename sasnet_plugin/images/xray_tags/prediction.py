"""Tags of rings where rings about the beam do not show: the edge of a shadow looks like a piece of one."""

from __future__ import annotations

from dataclasses import replace

from ...predict.findings import Answer
from ...predict.tags import TagsFinding
from ...types import Image
from .reading import explain_by_rings

#: Tags that only an image with rings about its beam can have.
OF_RINGS = ("ring", "higher_orders", "many_rings", "halo", "bcc", "fcc", "polycrystalline", "amorphous")
#: Share of what varies in an image that rings must take away, and variance left over from which on noise does
#: not explain the rest: grains, the spottiest of powders, have 0.25; single crystals below 0.06.
LEAST, NOISE = 0.15, 4.0


def complete_answer(image: Image, answer: Answer) -> Answer:
    """The answer without tags of rings where the image is not even around its beam."""
    tags = answer.finding(TagsFinding)
    if tags is None or not answer.known or not set(OF_RINGS) & set(tags.present):
        return answer
    share, variance_left = explain_by_rings(image.counts, image.mask, image.geometry.centre)
    if share >= LEAST or variance_left < NOISE:
        return answer
    tags_kept = replace(
        tags,
        probability={name: p for name, p in tags.probability.items() if name not in OF_RINGS},
        present=tuple(name for name in tags.present if name not in OF_RINGS),
    )
    column, row = image.geometry.centre
    text = (
        f"Rings about the beam (column {column:.0f}, row {row:.0f}) explain only"
        f" {100 * max(share, 0.0):.0f} % of the variation in the image, so no tag of rings is given."
        f" Edges of shadows resemble pieces of rings; check the beam centre and mask shadows."
    )
    findings = tuple(tags_kept if finding is tags else finding for finding in answer.findings)
    return replace(answer, findings=findings, notes=(*answer.notes, text))
