"""A model trained further on the labels of the page: `sasnet train --labels`, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from ...domains import has_tags, specification
from ...files import put_whole
from ...types import SasnetError, describe_install, printable
from ...web.settings import WEB
from ...workers.child import deaf_children, safe_environment


class Retraining:
    """One training at a time, each in a folder of its own so that no model is replaced; `command` maps
    (labels, zoo) to the process' arguments.
    """

    def __init__(
        self,
        folder: Path,
        domain: str,
        images: Sequence[Path],
        command: Callable[[Path, Path], Sequence[str]] | None = None,
    ) -> None:
        self._folder, self._domain, self._images = folder.absolute(), domain, images
        self._command = command or self._usual
        self._process: subprocess.Popen[bytes] | None = None
        self._run = Path()
        #: Folder of the models that predict and are trained further; None: the usual one.
        self.used: Path | None = None
        self._lock = threading.Lock()

    def _usual(self, labels: Path, zoo: Path) -> Sequence[str]:
        # Simulated images are made by the first training, and serve all.
        places = "--labels", str(labels), "--zoo", str(zoo), "--run", str(self._folder / "replay")
        start = str(self.used / self._domain) if self.used else "zoo"
        options = "--domain", self._domain, *places, "--start-from", start
        folders = [folder for folder in self._images if folder.is_dir() and any(folder.iterdir())]
        return [sys.executable, "-P", "-m", "sasnet_plugin", "train", *options, *map(str, folders)]

    def _check_ready(self, labelled: int) -> None:
        if self.running:
            raise SasnetError("A training is running; wait for it, or stop it.")
        if not has_tags(specification(self._domain)):
            raise SasnetError("This network predicts classes and cannot learn tags; export the labels.")
        if find_spec("onnx") is None:
            raise SasnetError(f"Retraining needs onnx, which is not installed; run {describe_install('web')}")
        if labelled < WEB.least_labelled:
            raise SasnetError(
                f"{labelled} image{' is' if labelled == 1 else 's are'} labelled; label at least"
                f" {WEB.least_labelled} before you retrain."
            )

    def start(self, csv: bytes, labelled: int) -> None:
        """Train on labels. Raises SasnetError for too few labels, or a training under way."""
        with self._lock:
            self._check_ready(labelled)
            self._run = self._folder / time.strftime("%Y-%m-%d-%H%M%S")
            labels = self._run / "labels.csv"
            put_whole(labels, csv, "labels", make_folder=True)
            arguments = self._command(labels, self._run / "zoo" / self._domain)
            with (self._run / "training.log").open("wb") as log, deaf_children():
                try:
                    self._process = subprocess.Popen(
                        arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                        env={**os.environ, **safe_environment()}, start_new_session=True,
                    )  # fmt: skip
                except OSError as error:
                    raise SasnetError(f"The training cannot be started ({error.strerror}).") from None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def state(self) -> str:
        """A sentence about the last training; empty where there was none."""
        if self._process is None:
            return ""
        code = self._process.poll()
        last = self._last_line()
        if code is None:
            return f"Training on the labels … {last}"
        if code == 0:
            return f"Trained: {last}"
        return f"The training ended without a model ({last or f'exit code {code}'})."

    @property
    def zoo(self) -> Path | None:
        """Folder of the new model, once it is there; None where it is no better."""
        is_finished = self._process is not None and self._process.poll() == 0
        return self._run / "zoo" if is_finished and (self._run / "zoo" / "registry.json").exists() else None

    def stop(self) -> None:
        if self._process is not None and self.running:
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGTERM)
                else:
                    self._process.terminate()
            self._process.wait(timeout=10)

    def _last_line(self) -> str:
        try:
            text = (self._run / "training.log").read_bytes()[-4000:].decode(errors="replace")
        except OSError:
            return ""
        lines = map(str.strip, text.replace("\r", "\n").splitlines())
        # The page offers to use the new model itself.
        lines_told = [line for line in lines if line and "SASNET_MODEL_ZOO" not in line]
        return printable(lines_told[-1])[:300] if lines_told else ""
