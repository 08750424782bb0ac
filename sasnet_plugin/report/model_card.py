"""The card of a network: what it reads and answers, how it was made, how good it is, and for what not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domains import Domain
from ..domains.heads import Classes, Distribution, Head, Quantities, Scope, Tags
from ..zoo import Manifest

#: By which a card is known that was written here.
CARD_MARK = "- **Trained** on simulated"


def model_card(domain: Domain, manifest: Manifest, figures: str) -> str:
    """Write the Markdown card of a network, with the evaluation's tables `figures`."""
    training = manifest.metrics.get("training", {})
    versions = ", ".join(f"{name} {value}" for name, value in manifest.versions.items())
    head_texts = "".join(f"\n  - {text}" for head in manifest.heads if (text := _describe_head(head)))
    return f"""# {manifest.name}

{domain.purpose or f"Analyses {domain.title}."}

- **Reads** {_read(manifest.inputs) or domain.title} (features of version {manifest.features_version}).
- **Answers** with{head_texts}
{CARD_MARK} data alone, {training.get("steps", "?")} batches of {training.get("batch", "?")},
  each with a new simulated measurement. Its probabilities hold only for the prior distribution of these
  data. {manifest.metrics.get("weights", "?")} weights.{_describe_start(manifest.metrics)}
- **Made with** {versions}. Training data {manifest.data_hash[:16]}.
- **Not for** {domain.limits or "anything else"}. {_describe_refusal(manifest)}

## Figures

On data with a separate seed, not used in training, calibration or grouping.{_absolute(manifest)}

{figures}{_elsewhere(manifest.metrics)}{_groups(manifest)}"""


def _describe_refusal(manifest: Manifest) -> str:
    """When it calls a measurement unknown, and how many of the known kinds fall there."""
    if manifest.scope is None:
        return "It cannot say that a\n  measurement is of no known kind."
    return (
        f"If `in_scope` is below {manifest.scope_threshold:.2f},\n  the answer is that the kind of"
        f" measurement is unknown. At most one in {round(1 / manifest.scope.refused)} measurements"
        " of known kinds gets this answer."
    )


def _absolute(manifest: Manifest) -> str:
    """Which errors are not over the truth."""
    names = [
        f"`{parameter.name}`"
        for head in manifest.heads
        if isinstance(head, Quantities)
        for parameter in head.parameters
        if parameter.may_be_zero
    ]
    if not names:
        return ""
    text = f"those of {', '.join(names)}, which may be 0, are absolute"
    return f" Errors and half widths of\nintervals are divided by the true value; {text}."


def _describe_start(metrics: Mapping[str, Any]) -> str:
    text, start = "", metrics.get("start")
    while start:
        steps = (start.get("training") or {}).get("steps", "?")
        text += f" Started from the weights of {start['name']} {start['sha256'][:8]} ({steps} batches)."
        start = start.get("start")
    return text


def _elsewhere(metrics: Mapping[str, Any]) -> str:
    """What it says of curves that no code of training has made, where a benchmark has kept that."""
    rows = metrics.get("elsewhere")
    if not rows:
        return ""
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n## Curves of other code\n\n" + "\n".join(lines) + "\n\n"


def _groups(manifest: Manifest) -> str:
    if not manifest.groups:
        return ""
    groups = "\n".join(
        f"- **{g.name}**: {', '.join(g.members)}" for g in manifest.groups if len(g.members) > 1
    )
    single_names = ", ".join(g.members[0] for g in manifest.groups if len(g.members) == 1)
    return f"## Groups\n\n{groups}\n\nGroups with one member: {single_names}.\n"


def _read(inputs: dict[str, Any] | Any) -> str:
    parts = []
    if "q_range" in inputs:
        low, high = inputs["q_range"]
        parts.append(f"I(q) between {low:g} and {high:g} Å⁻¹, any scale")
    if "window" in inputs:
        window = dict(inputs["window"])
        parts.append(f"{window.pop('rows')} × {window.pop('columns')} pixels")
        parts += [f"{name} {low:g} to {high:g}" for name, (low, high) in window.items()]
    parts += [
        f"{name} {low:g} to {high:g} as stated" for name, (low, high) in inputs.get("stated", {}).items()
    ]
    return ", ".join(parts)


def _describe_head(head: Head) -> str:
    if isinstance(head, Classes):
        given_text = f", given the {head.given.replace('_', ' ')}" if head.given else ""
        grouped = f", in {len(head.groups)} groups" if head.groups else ""
        return f"the {head.title}, of {len(head.labels)}{grouped}{given_text}, with calibrated probabilities"
    if isinstance(head, Tags):
        return f"probabilities of {', '.join(head.labels)}"
    if isinstance(head, Quantities):
        interval = {"band": ", each with a 90 % band", "error": ", each with its error"}
        return f"{', '.join(f'`{name}`' for name in head.names)}{interval.get(head.interval, '')}"
    if isinstance(head, Distribution):
        return (
            f"the distribution of {head.name} on {head.bins} angles over {head.period:g} degrees, its 90 %"
            f' band at a resolution of {head.resolution:g} degrees, and a p-value of "every angle alike"'
        )
    return "a score that the measurement is of a known kind" if isinstance(head, Scope) else ""
