"""All that the pages of curves hold: the list, who answers questions, and the fits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...service.answers import fit_options
from ...service.interactive import Asked, Line, Place
from ...types import SasnetError
from ..settings import CURVES
from .history import Batch, Batches, Fit, History, Record, check
from .shelf import DROPPED, FOLDER, Listing, Shelf, drop


class Bench:
    """A folder of data (None: dropped files only) and a folder `work` for dropped files, fits and the record;
    `live` rescans, `workers` processes fit.
    """

    def __init__(self, folder: Path | None, work: Path, workers: int, *, live: bool = True) -> None:
        self.folder, self.work = folder and folder.resolve(), work.resolve()
        self.dropped = self.work / "dropped"
        self._record = Record(self.work / "sasnet-web.sqlite")
        self.dropped.mkdir(parents=True, exist_ok=True)
        roots = {FOLDER: self.folder, DROPPED: self.dropped}
        self._line = Line(CURVES.ask_seconds)
        self._line.start()
        self._images = Line(CURVES.look_seconds, "sasnet_plugin.images.service:begin")
        existing_roots = {root: path for root, path in roots.items() if path is not None}
        self.shelf = Shelf(existing_roots, self.work, self._record, Line(CURVES.look_seconds), live=live)
        self.listing = Listing(self.shelf)
        # Before the fits by hand, whose word is the last.
        self.batches = Batches(self._record, self.work / "batches", workers, self.shelf.take_verdict)
        self.history = History(self._record, self.work / "fits", workers, self.shelf.take_verdict)

    def ask(self, do: str, key: str = "", body: Mapping[str, Any] | None = None) -> Any:
        """Ask something of a row, or of models; its data within the body's ``window``."""
        body = body or {}
        options = (body.get(name) for name in ("window", "q_unit", "wavelength"))
        place = self.shelf.place(key, *options) if key else None
        with self._hide_folders():
            return self._line.ask(Asked(do, place, dict(body)))

    @contextlib.contextmanager
    def _hide_folders(self) -> Iterator[None]:
        """Sentences name files as the list does, without where the folder lies."""
        try:
            yield
        except SasnetError as error:
            sentence = str(error)
            for folder in filter(None, (self.folder, self.dropped)):
                sentence = sentence.replace(f"{folder}/", "")
            raise SasnetError(sentence) from None

    def ask_image(self, do: str, key: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask something of an image, which is read as somebody has said."""
        choices = {**self.shelf.find_choice(key), **(body or {})}
        return self._images.ask(Asked(do, self.shelf.place(key), choices))

    def verify(self, key: str, time_limit: float) -> Fit:
        """Fit physics to an image from its answer on. Raises SasnetError without such an image."""
        if not self.shelf.row(key).is_image:
            raise SasnetError(f"{self.shelf.row(key).file}: is not an image.")
        body = {"image": True, **self.shelf.find_choice(key), "time_limit": time_limit}
        return self.history.ask([key], [self.shelf.place(key)], body)

    def fit(self, keys: list[str], body: Mapping[str, Any]) -> Fit:
        """Fit the data of rows. Raises SasnetError for a wrong row or request."""
        if not 1 <= len(set(keys)) == len(keys) <= CURVES.most_together:
            raise SasnetError(f"Choose 1 to {CURVES.most_together} data sets, each once.")
        fit_options(body)  # whoever is mistaken is told before it waits
        self._no_images(keys)
        places = [self.shelf.place(key, body.get("window"), body.get("q_unit")) for key in keys]
        return self.history.ask(keys, places, {**body, "q_units": [place.q_unit or "" for place in places]})

    def remove_fit(self, number: int) -> None:
        """Remove a fit and its files; the list shows the best of those that are left."""
        for key in self.history.remove(number):
            self.shelf.forget_verdict(key)
            self.batches.report(key)
            self.history.report(key)

    def remove_file(self, key: str) -> None:
        """Remove a dropped file. Raises SasnetError for one of the folder."""
        row = self.shelf.row(key)
        if row.root != DROPPED:
            raise SasnetError(f"{row.file}: was not dropped here; remove it from its folder.")
        try:
            (self.dropped / row.file).unlink(missing_ok=True)
        except OSError as error:
            raise SasnetError(f"{row.file}: cannot be removed ({error.strerror}).") from None
        self.shelf.scan()

    def batch(self, keys: list[str], body: Mapping[str, Any]) -> Batch:
        """Fit the files of rows, each alone, without images. Raises SasnetError if none is left."""
        curves = [key for key in keys if not self.shelf.row(key).is_image]
        if not curves:
            self._no_images(keys)
        keys = curves
        places = {key: self.shelf.place(key, None, body.get("q_unit")) for key in keys}
        files = {place.path: key.rpartition("#")[0] for key, place in places.items()}
        check(files)
        readings = {place.path: _reading(place) for place in places.values() if _reading(place)}
        return self.batches.ask(files, {**body, "readings": readings} if readings else body)

    def _no_images(self, keys: list[str]) -> None:
        if image := next((row for row in map(self.shelf.row, keys) if row.is_image), None):
            raise SasnetError(f"{image.file}: is an image, not a curve; fit it in the tab Images.")

    def drop(self, name: str, content: bytes, within: str = "") -> str:
        """Keep a dropped file and list it; its key."""
        if self.shelf.files >= CURVES.most_dropped:
            raise SasnetError(f"{self.dropped}: holds {CURVES.most_dropped:,} files; clear it first.")
        return f"{DROPPED}:{drop(self.dropped, name, content, within)}#1"

    def hush(self) -> None:
        """Answer no question any more, so that nobody waits for one when all is closed."""
        self._line.close()
        self._images.close()

    def close(self) -> None:
        """End what is under way, and let go of all."""
        self.history.close()
        self.batches.close()
        self.shelf.close()
        self.hush()
        self._record.close()


def _reading(place: Place) -> dict[str, Any]:
    options = {"q_unit": place.q_unit, "wavelength": place.wavelength}
    return {name: value for name, value in options.items() if value}
