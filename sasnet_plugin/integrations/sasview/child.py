"""``sasnet serve`` as a process of its own: one JSON object a line, out and in.

All of it runs in the thread of the window, woken by Qt when there is something to read; nothing waits.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

#: So long the process may take to end by itself, ms.
_GRACE = 2000


class Child(QObject):
    """The process, started with the first request and restarted with the next one after it has died."""

    #: Number of the request, its result.
    answered = Signal(int, dict)
    #: Number of the request, the event (``done``, ``of``, ``name``).
    progressed = Signal(int, dict)
    #: Number of the request, one sentence.
    failed = Signal(int, str)
    #: Number of the request.
    cancelled = Signal(int)
    #: The process is gone without having been asked; one sentence.
    died = Signal(str)

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._command, self._environment = list(command), dict(environment)
        self._process: QProcess | None = None
        self._ending: list[QProcess] = []
        self._number = 0
        self._rest = b""
        self._said: deque[str] = deque(maxlen=20)

    @property
    def pid(self) -> int:
        return int(self._process.processId()) if self._process is not None else 0

    def ask(self, do: str, **content: Any) -> int:
        """Send a request, starting the process if there is none; returns its number."""
        if self._process is None:
            self._start()
        self._number += 1
        line = json.dumps({"id": self._number, "do": do, **content}, allow_nan=False) + "\n"
        if self._process is not None:
            self._process.write(line.encode())
        return self._number

    def end(self) -> None:
        """Ask the process to end; kill it if it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        process.finished.disconnect(self._handle_finish)
        process.errorOccurred.disconnect(self._handle_error)
        process.finished.connect(self._handle_end)
        self._ending.append(process)
        process.write(b'{"id": 0, "do": "quit"}\n')
        process.closeWriteChannel()
        QTimer.singleShot(_GRACE, process, process.kill)

    def kill(self) -> None:
        """End the process at once; SasView is being closed."""
        running = [*self._ending, *([self._process] if self._process is not None else [])]
        self._process, self._ending = None, []
        for process in running:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(_GRACE)

    def _start(self) -> None:
        self._rest = b""
        self._said.clear()
        process = QProcess(self)
        process.setProcessEnvironment(self._variables())
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._listen)
        process.finished.connect(self._handle_finish)
        process.errorOccurred.connect(self._handle_error)
        self._process = process
        process.start(self._command[0], self._command[1:])

    def _variables(self) -> QProcessEnvironment:
        variables = QProcessEnvironment.systemEnvironment()
        # These may have been set for SasView's Python. A frozen SasView keeps what was there before aside.
        for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV"):
            variables.remove(name)
        if getattr(sys, "frozen", False):
            original = os.environ.get("LD_LIBRARY_PATH_ORIG")
            variables.remove("LD_LIBRARY_PATH")
            if original:
                variables.insert("LD_LIBRARY_PATH", original)
        for name, value in self._environment.items():
            variables.insert(name, value)
        variables.insert("PYTHONUTF8", "1")
        return variables

    def _read(self) -> None:
        if self._process is None:
            return
        self._rest += bytes(self._process.readAllStandardOutput().data())
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line.strip():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            number, kind = event.get("id"), event["event"]
        except (ValueError, AttributeError, KeyError):
            self._said.append(line.decode(errors="replace"))
            return
        if not isinstance(number, int):
            self._said.append(str(event.get("text")))
        elif kind == "done":
            self.answered.emit(number, event.get("result") or {})
        elif kind == "progress":
            self.progressed.emit(number, event)
        elif kind == "cancelled":
            self.cancelled.emit(number)
        else:
            self.failed.emit(
                number,
                str(
                    event.get("text")
                    or "sasnet failed without an error message; try again, and report it if it repeats."
                ),
            )

    def _listen(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            self._said.extend(line for line in text.splitlines() if line.strip())

    def _handle_finish(self) -> None:
        self._read()
        self._listen()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        last = f" Its last words: {self._said[-1][:200]}" if self._said else ""
        self.died.emit(f"The process of sasnet has ended; the next request starts it again.{last}")

    def _handle_end(self) -> None:
        """One that was asked to end has done so."""
        for process in [p for p in self._ending if p.state() == QProcess.ProcessState.NotRunning]:
            self._ending.remove(process)
            process.deleteLater()

    def _handle_error(self, error: QProcess.ProcessError) -> None:
        if error != QProcess.ProcessError.FailedToStart or self._process is None:
            return  # a crash is followed by `finished`
        process, self._process = self._process, None
        process.deleteLater()
        self.died.emit(f"{self._command[0]} cannot be started; repeat sasnet sasview --install.")
