"""A process that holds one system and does what the parent asks: a JSON object a line in, one a line out.

{"do": "prepare", "key": K, "case": {...}, "threads": N}   -> {"ok": true} or {"unsupported": reason}
{"do": "run", "key": K, "file": FILE.npz}                  -> one call, its outputs in the file
{"do": "calibrate", "key": K, "seconds": T}                -> {"calls": how many calls take T seconds}
{"do": "sample", "key": K, "calls": N}                     -> {"seconds": of the N calls together}
{"do": "drop"}                                             -> every case forgotten
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from typing import Any

from serving import serve


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

    def start() -> tuple[dict[str, str], Callable[[dict[str, Any]], dict[str, Any]]]:
        import systems

        system = systems.load(arguments.system, arguments.build, arguments.isa, arguments.most_threads)
        return system.describe(), _Worker(system).answer

    serve(start, cap_from=arguments.build if arguments.cap else None)


if __name__ == "__main__":
    main()
