"""Workers seen from the parent, and the rules that keep them out of each other's way.

Each system lives in a process of its own: several OpenMP runtimes and thread pools in one process share settings and
disturb each other. All have the same number of threads, and only one works at a time. What remains is spinning: idle
threads of every runtime go on looking for work for a while after a call (LLVM's OpenMP 200 ms, GNU's and ONNX Runtime's
pool up to some ten milliseconds), on the cores that the next system needs. Turning it off would slow down the system
itself between the calls of a sample, so all keep their defaults, except that LLVM's is cut to 5 ms, longer than any gap
between calls; before each sample the parent waits until no thread of any worker is running, as /proc says.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

_HERE = pathlib.Path(__file__).parent
_LINUX = sys.platform.startswith("linux")

# Named in the manuals of ATen, oneDNN (both spellings are read) and MKL, and OpenVINO's for its own kernels, which
# only some of its builds read. What they miss is caught by native/cpuidcap.c, where Linux and the processor can.
_AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OV_CPU_MAX_ISA": "AVX2",
}

_FIXED_BY_CALLER = ("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "ATTENTION_", *_AVX2)


class WorkerFailed(Exception):
    """A worker could not do what it was asked, or died."""


class Worker:
    """One system in its process. `description` is None, and `failure` says why, where it could not be loaded."""

    def __init__(self, system: str, command: list[str], environment: dict[str, str]) -> None:
        self.system = system
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment
        )
        self.pid = self._process.pid
        self.description: dict[str, str] | None = None
        self.failure: str | None = None
        try:
            hello = self._hear()
            self.description = hello["description"]
            if hello.get("capped") is not None:
                how = "AVX-512 hidden from CPUID" if hello["capped"] else "by environment variables alone"
                self.description["capped at AVX2"] = how
        except WorkerFailed as failure:
            self.failure = str(failure)

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Raises WorkerFailed."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerFailed(f"{self.system} ended: {self._log_tail()}") from error
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(f"{self.system} ended with status {self._process.wait()}: {self._log_tail()}")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise WorkerFailed(answer["failed"])
        return answer

    def _log_tail(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-500:].strip()

    def is_running(self) -> bool:
        """Whether a thread of it is on a core or waits for one."""
        try:
            tasks = list(pathlib.Path(f"/proc/{self.pid}/task").iterdir())
        except OSError:
            return False
        for task in tasks:
            try:
                if (task / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                    return True
            except OSError:  # the thread has just ended
                continue
        return False

    def processor_seconds(self) -> float:
        try:
            fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def kernel_worker(system: str, build: str, isa: str | None, most_threads: int, cap: bool) -> Worker:
    """A system of worker.py; `cap` hides what is beyond AVX2 from all but ours."""
    command = [sys.executable, str(_HERE / "worker.py"), system, "--build", build, "--most-threads", str(most_threads)]
    cap = cap and system != "ours"
    command += ["--isa", isa] if system == "ours" and isa else []
    command += ["--cap"] if cap else []
    return Worker(system, command, environment(most_threads, cap))


def environment(threads: int, cap: bool = False) -> dict[str, str]:
    """The caller's without what it says of threads and instruction sets; `cap` adds what libraries read of AVX2."""
    given = {key: value for key, value in os.environ.items() if not key.startswith(_FIXED_BY_CALLER)}
    given |= {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "KMP_BLOCKTIME": "5",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return given | (_AVX2 if cap else {})


def settle(workers: list[Worker], longest: float = 1.0) -> bool:
    """Waits until all workers sleep. False when one was still running after `longest` seconds."""
    if not _LINUX:
        time.sleep(0.3)
        return True
    deadline = time.monotonic() + longest
    quiet = 0
    while quiet < 3:
        quiet = 0 if any(worker.is_running() for worker in workers) else quiet + 1
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


class ForeignLoad:
    """The part of the machine that other processes took, and that a hypervisor took (steal), since it was made."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers
        self._start = self._read()

    def _read(self) -> tuple[float, float, float]:
        """Seconds: of the clock times cores; busy, other processes; steal."""
        if not _LINUX:
            return (time.monotonic(), 0.0, 0.0)
        ticks = os.sysconf("SC_CLK_TCK")
        user, nice, system, idle, iowait, irq, softirq, steal = (
            int(x) / ticks for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        )
        busy = user + nice + system + irq + softirq
        mine = sum(os.times()[:2]) + sum(worker.processor_seconds() for worker in self._workers)
        return (busy + idle + iowait + steal, busy - mine, steal)

    def parts(self) -> tuple[float, float]:
        """Of all cores' time: others, steal. Zeros where the system does not say."""
        before, after = self._start, self._read()
        total = max(after[0] - before[0], 1e-9)
        return (max(after[1] - before[1], 0.0) / total, max(after[2] - before[2], 0.0) / total)
