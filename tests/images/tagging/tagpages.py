"""A folder of small diffraction images, and the page over it as a program sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from sasnet_plugin.images.tagging.events import Prediction
from sasnet_plugin.images.tagging.workspace import Workspace
from sasnet_plugin.web.access import Keys
from sasnet_plugin.web.content import source_of

HOME = "http://127.0.0.1:8000"
MODEL = "diffraction@0123456789"


def draw(folder: Path, number: int) -> list[str]:
    """Images of rings, each of another radius; every third one is turned by two spots."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, (y, x) = np.random.default_rng(3), np.mgrid[:48, :48] - 23.5
    names = []
    for k in range(number):
        radius = np.hypot(y, x)
        clean = 30 * np.exp(-0.5 * ((radius - 5 - 12 * k / max(number, 1)) / 2) ** 2) + 0.5
        if k % 3 == 0:
            clean *= 1 + 0.9 * np.cos(2 * np.arctan2(y, x))
        names.append(f"ring {k:03d}.npy")
        np.save(folder / names[-1], rng.poisson(clean).astype(np.int32))
    return names


@dataclass
class Page:
    """The page of a folder, as a program that has its token sees it."""

    client: TestClient
    workspace: Workspace
    keys: Keys

    def post(self, where: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(where, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, where: str, **query: Any) -> Any:
        answer = self.client.get(where, params=query)
        assert answer.status_code == 200, answer.text
        return answer

    def rows(self, text: str = "", order: str = "name", **more: Any) -> list[int]:
        """Rows that a filter lets through, in their order."""
        found = self.post("/api/select", filter=text, order=order, **more)
        cells = self.get("/api/cells", selection=found["selection"], count=400).json()["cells"]
        assert len(cells) == found["count"]
        return [cell["row"] for cell in cells]

    def predict(self, probability: dict[int, dict[str, float]], model: str = MODEL) -> None:
        """Lay down what a model says, as the background does, of files as they are."""
        desk = self.workspace
        folder, domain = str(desk.folder), desk.domain
        tags = tuple(desk.state.tags)
        found = []
        for row, p in probability.items():
            file, number = desk.images.keys[row]
            source = source_of(folder, file, domain)
            with desk.lock:
                desk.state.read(file, source.content)
            found.append(Prediction(model, file, number, source.content, tags, p, 0.9, ("Said.",)))
        desk.log.add_predictions(found)
