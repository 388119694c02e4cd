"""The worker's end of the pipe to its parent: a JSON object a line in, one a line out."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def serve(start: Callable[[], tuple[dict[str, str], Answer]], cap_from: str | None) -> None:
    """Answers until the input ends. `start` loads the system and says what it is and how it answers; before, what is
    beyond AVX2 is hidden by the library in the build folder `cap_from`, where one is named."""
    # What libraries print goes to standard error; the pipe to the parent stays clean.
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=pipe, flush=True)

    try:
        # Before NumPy and the system are loaded: they ask CPUID then.
        capped = None if cap_from is None else _capped(cap_from)
        description, answer = start()
        say({"description": description, "capped": capped})
    except Exception as error:  # an absent library must not end the others' run
        traceback.print_exc()
        say({"failed": f"{type(error).__name__}: {error}"})
        return
    gc.disable()
    for line in sys.stdin:
        try:
            say(answer(json.loads(line)))
        except Exception as error:
            traceback.print_exc()
            say({"failed": f"{type(error).__name__}: {error}"})


def _capped(build: str) -> bool:
    try:
        cap = ctypes.CDLL(os.path.join(build, "libcpuidcap.so"))
        return bool(cap.cap_at_avx2()) and not cap.sees_avx512()
    except OSError:
        return False
