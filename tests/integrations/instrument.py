"""A simulated instrument for Bluesky: two motors, and a detector of the sample where they stand."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve


class Done:
    """A status that is done when it is made."""

    done, success = True, True

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)

    def exception(self, timeout: float | None = None) -> None:
        return None

    def wait(self, timeout: float | None = None) -> None:
        return None


class Motor:
    """Something that is set: a composition, a temperature."""

    parent = None

    def __init__(self, name: str) -> None:
        self.name, self.at = name, 0.0

    def set(self, value: float) -> Done:
        self.at = float(value)
        return Done()

    def read(self) -> dict[str, Any]:
        return {self.name: {"value": self.at, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        return {self.name: {"source": "simulated", "dtype": "number", "shape": []}}

    @property
    def hints(self) -> dict[str, Any]:
        return {"fields": [self.name]}


class Detector:
    """Measures a curve; its arrays are called saxs_q, saxs_I and saxs_dI."""

    name, parent = "saxs", None

    def __init__(self, measure: Callable[[], Curve]) -> None:
        self.measure, self.count = measure, 0
        self.last: Curve | None = None

    def trigger(self) -> Done:
        self.last, self.count = self.measure(), self.count + 1
        return Done()

    def read(self) -> dict[str, Any]:
        assert self.last is not None
        arrays = {"saxs_q": self.last.q, "saxs_I": self.last.intensity, "saxs_dI": self.last.dintensity}
        return {name: {"value": np.array(a), "timestamp": time.time()} for name, a in arrays.items()}

    def describe(self) -> dict[str, Any]:
        if self.last is None:
            self.last = self.measure()
        about = {"source": "simulated", "dtype": "array", "shape": [self.last.q.size]}
        return {"saxs_q": {**about, "units": "1/A"}, "saxs_I": dict(about), "saxs_dI": dict(about)}


def documents(
    events: Sequence[Mapping[str, Any]], *, page: bool = False, units: str | None = "1/A"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A run with these data in its events, as the event model composes and validates it."""
    from event_model import compose_run, pack_event_page

    run = compose_run()
    yield "start", run.start_doc
    descriptor = run.compose_descriptor(
        name="primary", data_keys={name: _key(value, units if name == "q" else None)
                                   for name, value in events[0].items()}
    )  # fmt: skip
    yield "descriptor", descriptor.descriptor_doc
    made = [
        descriptor.compose_event(data=dict(data), timestamps=dict.fromkeys(data, float(number)))
        for number, data in zip(itertools.count(1), events, strict=False)
    ]
    if page:
        yield "event_page", pack_event_page(*made)
    else:
        yield from (("event", event) for event in made)
    yield "stop", run.compose_stop()


def _key(value: Any, units: str | None) -> dict[str, Any]:
    array = np.ndim(value) > 0
    dtype = "array" if array else "string" if isinstance(value, str) else "number"
    found: dict[str, Any] = {"source": "simulated", "dtype": dtype, "shape": list(np.shape(value))}
    return found if units is None else {**found, "units": units}
