"""The model card of a network for rotations of a lattice, and the table of its figures."""

from __future__ import annotations

from typing import Any

from ..zoo.gisas_manifest import OrientationManifest
from .image_figures import scope_table

_HEAD = (
    "| patterns | number | W1 | median | folded W1 | uniform's W1 | total variation | band holds |\n"
    "|---|---|---|---|---|---|---|---|"
)


def table(result: dict[str, Any]) -> str:
    """Figures of `report.orientation.figures` as Markdown; distances in degrees."""
    lines = [
        "Distances are circular W1 in degrees (period 60); the band is that of p averaged over 3 degrees.",
        "",
        _HEAD,
        _row("10⁵ to 10⁷ counts", result["judged"]),
        _row("all of the prior", result["all"]),
    ]
    lines += [_row(f"{f['low']:.0e} to {f['high']:.0e} counts", f) for f in result["by_counts"]]
    lines += [_row(name, f) for name, f in result["by_family"].items()]
    lines += [
        "",
        f"Uniform truth is called uniform in {100 * result['uniform_called_uniform']:.1f} % (10⁵ to 10⁷"
        " counts), one to five single angles in"
        f" {100 * result['not_uniform_called_uniform']:.1f} % (10⁴ to 10⁸).",
        "",
        "| quantity | median error over the prior's standard deviation | within one stated error |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {f['median']:.2f} | {100 * f['within']:.0f} % |"
        for name, f in result["quantities"].items()
    ]
    return "\n".join([*lines, "", *scope_table(result)]) + "\n"


def _row(name: str, f: dict[str, Any]) -> str:
    return (
        f"| {name} | {f['count']} | {f['w1']:.2f} | {f['w1_median']:.2f} | {f['w1_folded']:.2f}"
        f" | {f['w1_uniform']:.2f} | {f['total_variation']:.2f} | {100 * f['coverage']:.1f} % |"
    )


def model_card(manifest: OrientationManifest, figures: str) -> str:
    """Markdown text of the card.

    Parameters
    ----------
    manifest : OrientationManifest
    figures : str
        Tables of the evaluation.
    """
    training = manifest.metrics.get("training", {})
    versions = ", ".join(f"{name} {value}" for name, value in manifest.versions.items())
    rows, columns = manifest.shape
    return f"""# {manifest.name}

Says from one GISAS pattern of hexagonally ordered spheres how their lattice is rotated: p(ξ).

- **Reads** φ {manifest.phi[0]:g} to {manifest.phi[1]:g} and α_f {manifest.alpha_f[0]:g} to
  {manifest.alpha_f[1]:g} degrees on {rows} × {columns} pixels, counts, mask, wavelength and angle of
  incidence (preprocessing version {manifest.preprocess_version}).
- **Answers** with p(ξ) on {manifest.n_xi} angles over 60 degrees, its 90 % band at a resolution of
  {manifest.resolution:g} degrees, {len(manifest.quantities)} quantities of sample and measurement with
  errors, a p-value of "every angle alike", and a score that the pattern is of this kind.
- **Trained** on simulated patterns alone, {training.get("steps", "?")} batches of
  {training.get("batch", "?")} from {manifest.metrics.get("bases", "?")} geometries
  (docs/gisas_prior.md): its bands hold for that prior, and no other.
  {manifest.metrics.get("weights", "?")} weights.
- **Made with** {versions}. Training data {manifest.data_hash[:16]}.
- **Not for** other lattices, other particles than spheres, films that grow, patterns that lie on their side.
  Below in_scope {manifest.scope_threshold:.2f} no orientation is given.

## Figures

Patterns of geometries that were never used in training or calibration.

{figures}"""
