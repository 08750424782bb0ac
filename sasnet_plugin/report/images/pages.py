"""Pages of answers about patterns: what was measured and found, how it compares, where the network looked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.images.features import features_of
from ...types import GrowthGuess, Image, OrientationGuess, OrientationResult
from ..page import document
from . import attention, distribution, patterns
from .page import Section, Verdict, page

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows and columns that are covered at a time.
_PATCH = (8, 6)


def growth_page(image: Image, answer: GrowthGuess, folder: Path) -> Path:
    """Write the page of a pattern of a growing film; returns its path.

    Raises
    ------
    SasnetError
        It cannot be written.
    """
    from ...predict.growth import open_growth
    from ...predict.seen import on_window

    sections = [_measured(image)]
    if answer.quantities:
        rows = [("quantity", "value", "90 % band", "unit")]
        rows += [
            (name, f"{value:.3g}", f"{low:.3g} to {high:.3g}", unit)
            for name, (value, low, high, unit) in answer.quantities.items()
        ]
        sections.append(Section("Quantities", table=rows, text="The band holds the truth in 90 % of cases."))
        reader = open_growth()
        seen = on_window(image, reader.manifest)
        sections.append(_looked_at(seen, lambda x: reader.runtime.run(x).quantities[..., 0]))
        distance, low, high, unit = answer.quantities["distance"]
        verdict = Verdict(
            f"Clusters {distance:.3g} {unit} apart ({low:.3g} to {high:.3g}).",
            f"A pattern of the kind that the network knows: {100 * answer.in_scope:.0f} %.",
        )
    else:
        verdict = Verdict("Nothing is said of the film.", "The pattern is of another kind.", good=False)
    return _written(image, verdict, sections, answer.notes, folder)


def orientation_page(image: Image, answer: OrientationGuess | OrientationResult, folder: Path) -> Path:
    """Write the page of a pattern of ordered particles; returns its path.

    Raises
    ------
    SasnetError
        It cannot be written.
    """
    from ...predict.orientation import OUT_OF_SCOPE, open_orientation, units
    from ...predict.seen import on_window

    sections = [_measured(image)]
    if OUT_OF_SCOPE in answer.notes:
        verdict = Verdict(
            "No orientation is given.", "The pattern is outside what this model knows.", good=False
        )
        return _written(image, verdict, sections, answer.notes, folder)
    verified = isinstance(answer, OrientationResult)
    mirror = answer.mirror if isinstance(answer, OrientationResult) and not answer.mirror_resolved else None
    sections.append(
        Section(
            "How the lattice is rotated",
            distribution.distribution(answer.xi, answer.p, answer.p_low, answer.p_high, mirror=mirror),
            distribution.SIZE,
            "Shaded: 90 % band at the resolution that the data have."
            + (" Dashed: the mirror solution, which the data cannot exclude." if mirror is not None else ""),
        )
    )
    if isinstance(answer, OrientationResult):
        sections.append(
            Section(
                "Simulated again",
                patterns.comparison(answer.image, answer.simulated, answer.residual),
                patterns.COMPARISON_SIZE,
                f"Poisson deviance {answer.deviance:.4g}; {answer.expected_deviance:.4g} ±"
                f" {answer.deviance_sd:.2g} were the model right.",
            )
        )
    given = units()
    rows = [("quantity", "value", "error", "unit")]
    rows += [(name, f"{v[0]:.4g}", f"{v[1]:.2g}", given.get(name, "")) for name, v in answer.geometry.items()]
    sections.append(Section("Sample and beam", table=rows))
    if not verified:
        reader = open_orientation()
        sections.append(
            _looked_at(on_window(image, reader.manifest), lambda x: _softmax(reader.runtime.run(x).xi))
        )
    alike = answer.uniform_p_value > 0.05
    verdict = Verdict(
        "The angles may all be alike." if alike else "The angles are not all alike.",
        f"p = {answer.uniform_p_value:.3g} for a uniform distribution."
        + ("" if verified else " Not verified: nothing was simulated again."),
        good=verified,
    )
    return _written(image, verdict, sections, answer.notes, folder)


def page_name(image: Image) -> str:
    """Name of an image's page, see `page.document.page_name`."""
    return document.page_name(image.file, image.entry, image.counts, default="image")


def _measured(image: Image) -> Section:
    return Section(
        "Pattern",
        patterns.pattern(image),
        patterns.PATTERN_SIZE,
        f"{100 * (1 - image.mask.mean()):.1f} % of the pixels are masked and show the ground.",
    )


def _looked_at(seen: Image, answers: Callable[[NDArray[np.float32]], NDArray[np.floating]]) -> Section:
    """Where covering a part of the window changes the network's answer."""
    n = seen.counts[None]

    def score(masks: NDArray[np.bool_]) -> NDArray[np.floating]:
        counts = np.broadcast_to(n, masks.shape)
        given = (np.full(len(masks), value) for value in (seen.geometry.wavelength, seen.geometry.alpha_i))
        return answers(features_of(counts, masks, seen.geometry.phi, *given))

    found = attention.occlusion(score, seen.mask, patch=_PATCH)
    return Section(
        "Where the network looks",
        attention.attention(seen, found),
        attention.SIZE,
        "How much the answer changes when a part of the window is covered as a beamstop would cover it.",
    )


def _softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    from ...predict.decode import softmax

    return softmax(logits)


def _written(
    image: Image, verdict: Verdict, sections: Sequence[Section], notes: Sequence[str], folder: Path
) -> Path:
    facts: dict[str, Any] = {
        "Wavelength": f"{image.geometry.wavelength:.4g} Å",
        "Incidence": f"{image.geometry.alpha_i:.3g}°",
        "Counts": f"{image.counts[image.mask].sum():.3g}",
        "Pixels": f"{image.counts.shape[1]} × {image.counts.shape[0]}",
    }
    title = " · ".join(part for part in (Path(image.file).name, image.entry) if part) or "Image"
    every = (*image.notes, *notes)
    return document.write_page(
        Path(folder) / page_name(image), page(title, verdict, sections, facts=facts, notes=every)
    )
