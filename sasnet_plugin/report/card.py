"""The model card: what the network is for, how it was made, how good it is, where it fails."""

from __future__ import annotations

from ..zoo import Manifest


def model_card(manifest: Manifest, figures: str) -> str:
    """Markdown text of the card.

    Parameters
    ----------
    manifest : Manifest
    figures : str
        Tables of the evaluation.
    """
    training = manifest.metrics.get("training", {})
    versions = ", ".join(f"{name} {value}" for name, value in manifest.versions.items())
    groups = "\n".join(
        f"- **{g.name}**: {', '.join(g.members)}" for g in manifest.groups if len(g.members) > 1
    )
    alone = ", ".join(g.members[0] for g in manifest.groups if len(g.members) == 1)
    return f"""# {manifest.name}

Suggests sasmodels form models and structure factors for a 1D small-angle-scattering curve.

- **Reads** I(q) between {manifest.q_range[0]:g} and {manifest.q_range[1]:g} Å⁻¹, any scale, on a fixed log-q
  grid (preprocessing version {manifest.preprocess_version}).
- **Answers** with calibrated probabilities of {len(manifest.labels)} form models, of the structure factor
  given each, of {len(manifest.groups)} groups of models, a score that any known model fits, and the radius
  of gyration.
- **Trained** on simulated curves alone, {training.get("steps", "?")} batches of {training.get("batch", "?")},
  each curve measured anew (see docs/prior.md and docs/measurement.md): its probabilities hold for data
  drawn from that prior, and no others. {manifest.metrics.get("weights", "?")} weights.
- **Made with** {versions}. Training data {manifest.data_hash[:16]}.
- **Not for** mixtures, powders, oriented samples, reflectivity. Below in_scope
  {manifest.scope_threshold:.2f} it says that no known model may fit; one in twenty curves of known models
  falls there.

## Figures under the frozen realistic protocol

On shards of a seed of their own, never used in training, calibration or grouping.

{figures}
## Groups

{groups}

On their own: {alone}.
"""
