"""How a command is ended from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def term_as_interrupt() -> Iterator[None]:
    """A job scheduler ends what ran out of time by SIGTERM, some seconds before it kills."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


class Ending:
    """Whether a fit is to end with what it has, asked for by Ctrl-C or SIGTERM; twice ends the command."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    @contextmanager
    def listen(self) -> Iterator[None]:
        """While the block runs, in the main thread; what is ignored, as by a shell's background, stays so."""
        usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        handlers = {number: handler for number, handler in usual.items() if handler is not signal.SIG_IGN}
        for number in handlers:
            signal.signal(number, self._ask)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(signal_number) == self._ask:
                signal.signal(signal_number, _interrupt)
        # Not by print: this may come in the middle of one.
        os.write(2, b"\nsasnet: ending with what is fitted; Ctrl-C once more ends at once.\n")
