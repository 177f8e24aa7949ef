"""How much memory a call needs, as Linux counts it."""

import ctypes
import gc
from pathlib import Path


def peak(call):
    """Peak of the resident memory during a call over what it was before, in MB (1e6 bytes).

    All is counted, compiled code's arrays and threads' stacks too. What earlier calls have freed is given back to the
    system first.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    call()
    return (_resident("VmHWM") - before) / 1e6


def _resident(field):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
