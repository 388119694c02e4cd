"""What the figures are measured on, and its limits."""

from __future__ import annotations

import ctypes
import os
import pathlib
import platform
import statistics
import sys
import time
from typing import Any


class _Loop(ctypes.Structure):
    """peak_loop of Sources/CPeak/include/peak.h."""

    _fields_ = [
        ("isa", ctypes.c_char_p),
        ("real_bits", ctypes.c_int),
        ("operation", ctypes.c_char_p),
        ("lanes", ctypes.c_int),
        ("chains", ctypes.c_int),
        ("run", ctypes.c_void_p),
    ]


class Limits:
    """Loops of the build folder's liblimits. A call lets other Python threads run; there are none."""

    def __init__(self, build: str) -> None:
        suffix = "dylib" if sys.platform == "darwin" else "so"
        library = self._library = ctypes.CDLL(str(pathlib.Path(build) / f"liblimits.{suffix}"))
        library.peak_find.restype = ctypes.POINTER(_Loop)
        library.peak_find.argtypes = [ctypes.c_char_p, ctypes.c_int]
        library.peak_rate.restype = ctypes.c_double
        library.peak_rate.argtypes = [ctypes.POINTER(_Loop), ctypes.c_int, ctypes.c_double]
        library.read_bandwidth.restype = ctypes.c_double
        library.read_bandwidth.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]

    def peak(self, isa: str, bits: int, threads: int, seconds: float = 0.02) -> float | None:
        """FLOP/s of so many threads at once in registers; None where there is no loop of that instruction set."""
        loop = self._library.peak_find(isa.encode(), bits)
        return self._library.peak_rate(loop, threads, seconds) or None if loop else None

    def bandwidth(self, threads: int) -> float | None:
        """Bytes a second read by so many threads at once, from memory far larger than the caches: median of five."""
        each = _bandwidth_bytes() // threads
        rates = [self._library.read_bandwidth(threads, each, 2) for _ in range(5)]
        return statistics.median(rates) or None


def _bandwidth_bytes() -> int:
    """Four times the last cache, at least 512 MiB, at most a quarter of the memory."""
    largest = 0
    for index in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = index.read_text().strip()
        largest = max(largest, int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20}.get(text[-1], 1))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(4 * largest, 512 << 20), memory // 4)


def processor() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model", "Hardware")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(limits: Limits, threads: list[int]) -> dict[str, Any]:
    """Everything that the report says of the machine; peaks in GFLOP/s and bandwidth in GB/s by thread count."""
    peaks: dict[str, dict[str, float]] = {}
    for isa in ("portable", "avx2", "avx512", "neon"):
        for bits in (32, 64):
            rates = {}
            for count in threads:
                measured = [limits.peak(isa, bits, count, 0.05) for _ in range(5)]
                if measured[0] is None:
                    break
                rates[str(count)] = statistics.median(rate for rate in measured if rate) / 1e9
            if rates:
                peaks[f"{isa} float{bits}"] = rates
    bandwidth = {str(count): limits.bandwidth(count) for count in threads}
    return {
        "processor": processor(),
        "cores": cores(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "peakGigaflops": peaks,
        "readGigabytes": {count: rate / 1e9 for count, rate in bandwidth.items() if rate},
        "emptyCallMicroseconds": _empty_call() * 1e6,
    }


def _empty_call() -> float:
    """Seconds that ctypes takes to call a function that does nothing: part of every short call of ours."""
    function = ctypes.CDLL(None).getppid
    calls = 20000
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter() - start) / calls)
    return best
