"""A process that holds one system and does what the parent asks: a JSON object a line in, one a line out.

{"do": "prepare", "key": K, "case": {...}, "threads": N}   -> {"ok": true} or {"unsupported": reason}
{"do": "run", "key": K, "file": FILE.npz}                  -> one call, its outputs in the file
{"do": "calibrate", "key": K, "seconds": T}                -> {"calls": how many calls take T seconds}
{"do": "sample", "key": K, "calls": N}                     -> {"seconds": of the N calls together}
{"do": "drop"}                                             -> every case forgotten
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any


def _calls_that_take(seconds: float, call: Callable[[], object]) -> int:
    """Found by trying, since a first call tells little; at most tenfold a step."""
    calls = 1
    while True:
        taken = _time(calls, call)
        if taken >= seconds:
            return calls
        calls = min(10 * calls, int(1.1 * seconds / max(taken, 1e-9) * calls) + 1)


def _time(calls: int, call: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - start


class _Worker:
    def __init__(self, system: Any) -> None:
        self._system = system
        self._prepared: dict[str, Any] = {}

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        from shapes import Case
        from systems.system import Unsupported

        do = command["do"]
        if do == "prepare":
            fields = command["case"]
            case = Case(**{k: v for k, v in fields.items() if k not in ("base", "marks")})
            try:
                self._prepared[command["key"]] = self._system.prepare(case, command["threads"])
            except Unsupported as reason:
                return {"unsupported": str(reason)}
            return {"ok": True}
        if do == "drop":
            self._prepared.clear()
            gc.collect()
            return {"ok": True}
        prepared = self._prepared[command["key"]]
        prepared.activate()
        if do == "run":
            prepared.call()
            np.savez(command["file"], **prepared.outputs())
            return {"ok": True}
        if do == "calibrate":
            return {"calls": _calls_that_take(command["seconds"], prepared.call)}
        if do == "sample":
            # One call untimed where calls are short: it wakes threads and brings the arrays back into the caches, which
            # the other systems' turns have emptied.
            if command["calls"] > 2:
                prepared.call()
            return {"seconds": _time(command["calls"], prepared.call)}
        raise ValueError(f"unknown command {do}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("system")
    parser.add_argument("--build", required=True)
    parser.add_argument("--isa")
    parser.add_argument("--most-threads", type=int, required=True)
    parser.add_argument("--cap", action="store_true", help="hide what is beyond AVX2")
    arguments = parser.parse_args()

    # What libraries print goes to standard error; the pipe to the parent stays clean.
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=pipe, flush=True)

    try:
        capped = None
        if arguments.cap:
            # Before NumPy and the system are loaded: they ask CPUID then.
            try:
                cap = ctypes.CDLL(os.path.join(arguments.build, "libcpuidcap.so"))
                capped = bool(cap.cap_at_avx2()) and not cap.sees_avx512()
            except OSError:
                capped = False
        import systems

        system = systems.load(arguments.system, arguments.build, arguments.isa, arguments.most_threads)
        worker = _Worker(system)
        say({"description": system.describe(), "capped": capped})
    except Exception as error:  # an absent library must not end the others' run
        traceback.print_exc()
        say({"failed": f"{type(error).__name__}: {error}"})
        return
    gc.disable()
    for line in sys.stdin:
        try:
            say(worker.answer(json.loads(line)))
        except Exception as error:
            traceback.print_exc()
            say({"failed": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
