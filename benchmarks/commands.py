"""Commands of the product run as users run them: what they cost, and what they print."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

PRODUCT = (sys.executable, "-m", "sasnet_plugin")


def run_command(command: Sequence[str], **options: Any) -> tuple[float, float, str]:
    """CPU-seconds of a command with all processes that it waited for, MiB of the largest, and its output."""
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=printed, stderr=said, text=True, **options)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
        if child.returncode and not text:
            said.seek(0)
            print(said.read()[-1000:], file=sys.stderr)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text
