"""`sasnet serve`: a child process that suggests and fits for a program that must not wait, such as SasView.

Requests come in on stdin, events go out on stdout, one JSON object a line (`messages`). One thread listens,
so that a fit can be cancelled while it runs; the end of stdin means that the caller has ended, and ends
this process at once. The main thread answers one request after another; fits run in processes of their own.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from ..data.limits import unforeseen
from ..types import SasnetError
from .messages import AT_ONCE, EventWriter, Request, RequestError, request_of

if TYPE_CHECKING:
    from .answers import Answers


class Server:
    """Answers requests until they end; `workers` processes fit."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, workers: int) -> None:
        self._requests, self._workers = requests, workers
        self._events = EventWriter(answers, broken=lambda: self.end(0))
        self._folder: Path | None = None  # of reports; there is none to remove where none was asked for
        self._turn: queue.Queue[Request] = queue.Queue()
        self._wanted: dict[int, Request] = {}  # those in turn whose answer is still to come
        self._current: Request | None = None
        # Reentrant: a signal may come while the main thread holds it.
        self._lock, self._writing = threading.RLock(), threading.RLock()

    def run(self) -> NoReturn:
        """Answer; never returns, as the thread that waits for a line cannot be joined."""
        signal.signal(signal.SIGTERM, lambda *_: self.end(143))
        signal.signal(signal.SIGINT, lambda *_: self.end(130))
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self._serve()
        except Exception as error:
            reason = error if isinstance(error, SasnetError) else unforeseen("sasnet serve", error)
            self._events.write(None, "error", text=str(reason))
        self.end(1)

    def _serve(self) -> None:
        from ..fitting.pool import Workers
        from ..zoo import bank_path
        from .answers import Answers

        # The processes start, and import what they need, before the first request comes.
        with Workers(bank_path(), self._workers, stopped=self._is_unwanted) as pool:
            answers = Answers(pool, self._reports)
            while True:
                self._answer(answers, self._turn.get())

    def _answer(self, answers: Answers, request: Request) -> None:
        from ..fitting.pool import StoppedError

        self._current = request
        try:
            # A folder that is being removed is not written into.
            with self._writing if request.do == "report" else nullcontext():
                result = answers.answer(request, lambda **progress: self._progress(request, **progress))
            self._finish(request, "done", result=result)
        except StoppedError:
            pass
        except SasnetError as error:
            self._finish(request, "error", text=str(error))
        except Exception as error:  # the next request has its turn all the same
            self._finish(request, "error", text=str(unforeseen(f"Request {request.id}", error)))

    def _listen(self) -> None:
        """Sort what comes in: to be answered at once, or in its turn."""
        for line in self._requests:
            try:
                request = request_of(line)
                if request.do in AT_ONCE:
                    self._answer_at_once(request)
                    continue
                with self._lock:
                    if request.id in self._wanted:
                        raise RequestError(
                            f"Request {request.id} is still running; use another id.", request.id
                        )
                    self._wanted[request.id] = request
                self._turn.put(request)
            except RequestError as error:
                self._events.write(error.id, "error", text=str(error))
        self.end(0)

    def _answer_at_once(self, request: Request) -> None:
        try:
            subject = request.subject if request.do == "cancel" else None
        except SasnetError as error:
            raise RequestError(str(error), request.id) from None
        if subject is not None:
            with self._lock:
                unfinished = self._wanted.pop(subject, None)
                if unfinished is not None:
                    self._events.write(subject, "cancelled")
        self._events.write(request.id, "done", result={})
        if request.do == "quit":
            self.end(0)

    def _reports(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="sasnet-"))
        return self._folder

    def _is_unwanted(self) -> bool:
        """Whether the request that is being answered has been cancelled."""
        current = self._current
        return current is not None and self._wanted.get(current.id) is not current

    def _progress(self, request: Request, **progress: Any) -> None:
        with self._lock:
            if self._wanted.get(request.id) is request:
                self._events.write(request.id, "progress", **progress)

    def _finish(self, request: Request, event: str, **fields: Any) -> None:
        with self._lock:
            if self._wanted.get(request.id) is request:
                del self._wanted[request.id]
                self._events.write(request.id, event, **fields)

    def end(self, code: int) -> NoReturn:
        """End this process from any thread; its workers end when it is gone, whatever they are doing."""
        with self._writing:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(code)


def serve(workers: int) -> NoReturn:
    """Answer the program at stdin and stdout; `workers` processes fit."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever libraries and compilers print must not come between the lines, nor may they read any.
    with open(os.devnull, "rb") as null_file:
        os.dup2(null_file.fileno(), 0)
    sys.stdout.flush()
    os.dup2(2, 1)
    # Fits take all cores; the window of the program that asked for them has priority. Beside other busy
    # processes this leaves a third of what they have; with 10 it would be a tenth, too little for an answer.
    if hasattr(os, "nice"):
        os.nice(5)
    # One process a core: libraries that take all cores for each of them only get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    Server(requests, answers, workers).run()
