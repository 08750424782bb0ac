"""Images of dots: a kind of measurement in one file, the proof that nothing else of the program changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.digits import NORMAL_90
from sasnet_plugin.domains import Domain, Layout, Network, ReadOptions, Simulator
from sasnet_plugin.domains.heads import Parameter, Quantities, Tags, Targets
from sasnet_plugin.predict.findings import Answer, QuantitiesFinding, Value
from sasnet_plugin.types import Image

N = 16
HEAD = "# dots\n"
RADIUS = Parameter("radius", "pixels", (1.5, 4.0), "radius of the dot", log=True)


@dataclass(frozen=True)
class Pixels:
    """A picture whose pixels have no angles."""

    shape: tuple[int, int] = (N, N)

    def check(self, name: str) -> None:
        """Every picture will do."""


def recognise(path: Path) -> float:
    """1 for a file that begins with "# dots"."""
    return float(path.is_file() and path.read_bytes().startswith(HEAD.encode()))


def read(path: str, options: ReadOptions) -> Iterator[Image]:
    """The picture of a file of counts."""
    yield image(np.loadtxt(path), path)


def image(counts: np.ndarray, file: str = "") -> Image:
    """A picture, all of whose pixels count."""
    return Image(counts, np.ones((N, N), dtype=bool), Pixels(), file=file)


def features(images: Sequence[Image]) -> dict[str, np.ndarray]:
    """The root of the counts, whose noise is the same everywhere."""
    return {"features": np.stack([np.sqrt(one.counts) for one in images])[..., None].astype(np.float32) / 10}


class Dots(Simulator):
    """Gaussian dots, one or two, some on a bright ground."""

    layout = Layout(stem="dots", content="{rows:,} dots", rows=64, per_round=128)

    def sample(self, rng: np.random.Generator) -> dict[str, float]:
        """Radius and place of a dot; whether there is another, and a ground."""
        x, y = rng.uniform(5, N - 5, 2)
        radius = float(np.exp(rng.uniform(*np.log(RADIUS.prior))))
        pair, ground = (float(rng.random() < 0.5) for _ in range(2))
        return {"radius": radius, "x": x, "y": y, "pair": pair, "ground": ground}

    def clean(self, params: Mapping[str, float]) -> dict[str, Any]:
        """The picture, 1 in the middle of a dot."""
        row, column = np.mgrid[:N, :N]
        places = [(params["x"], params["y"]), (N - params["x"], 0.0)][: 1 + int(params["pair"])]
        dots = [((column - x) ** 2 + (row - y) ** 2) / (2 * params["radius"] ** 2) for x, y in places]
        picture = np.exp(-np.array(dots)).sum(axis=0) + 0.3 * params["ground"]
        return {"parameters": dict(params), "pictures": picture.astype(np.float32)}

    def measure(
        self, rows: Sequence[Mapping[str, Any]], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Poisson counts, and what is true."""
        counts = [rng.poisson((exposure or rng.uniform(50, 200)) * row["pictures"]) for row in rows]
        known = [row["parameters"] for row in rows]
        return [image(n) for n in counts], {
            "content": np.array([[one["pair"], one["ground"]] for one in known], dtype=np.float32),
            "size": np.array([[RADIUS.scale_value(one["radius"])] for one in known], dtype=np.float32),
        }


def trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """One hidden layer."""
    from keras import layers

    return layers.Dense(sizes["dense"], activation="silu")(layers.Flatten()(inputs["features"]))


def add_photons(image: Image, answer: Answer) -> Answer:
    """Add the number of photons, counted in the pixels."""
    total = image.counts[image.mask].sum()
    error = np.sqrt(total)
    value = Value(total, error, total - NORMAL_90 * error, total + NORMAL_90 * error, "")
    photons = Parameter("total", prior=(0.0, 40_000.0), text="photons in the image")
    finding = QuantitiesFinding(Quantities("photons", (photons,), interval="error"), {"total": value})
    return replace(answer, findings=(*answer.findings, finding))


DOTS = Domain(
    name="dots",
    title="images of dots",
    recognise=recognise,
    read=read,
    features=features,
    simulator=Dots,
    heads=(Tags("content", ("pair", "ground")), Quantities("size", (RADIUS,))),
    network=Network(trunk=trunk, sizes={"dense": 64}, reservoir=2048, reuse=20.0),
    complete=add_photons,
)
