"""swift-attention through ctypes: the arrays of NumPy, no copies."""

from __future__ import annotations

import ctypes
import pathlib
import re

import numpy as np

import inputs as arrays
from inputs import Array
from shapes import Case
from systems.attention_c import TYPES, Bias, Gradients, Mask, load, view
from systems.system import Prepared


class _Prepared:
    def __init__(self, library: ctypes.CDLL, case: Case, threads: int, isa: str | None) -> None:
        self._library, self._case = library, case
        given = self._inputs = arrays.generate(case)
        compute = np.float64 if case.type == "float64" else np.float32
        problem = self._problem = library.attn_problem_init(
            TYPES[case.type],
            case.batch,
            case.heads,
            case.kv_heads,
            case.queries,
            case.keys,
            case.dimension,
            case.dimension,
        )
        problem.query, problem.key, problem.value = view(given.query), view(given.key), view(given.value)
        self._threads = threads
        problem.causal, problem.softcap = case.causal, case.softcap
        problem.isa = isa.encode() if isa else None
        if case.window is not None:
            problem.window_left = case.window - 1
        if given.mask is not None:
            problem.mask = Mask(given.mask.ctypes.data, 0, 0, case.keys, 1)
        if given.bias is not None:
            head = case.queries * case.keys if case.bias == "heads" else 0
            problem.bias = Bias(given.bias.ctypes.data, TYPES[str(given.bias.dtype)], 0, head, case.keys, 1)
        if given.additive is not None:
            problem.additive, problem.scale = given.additive.ctypes.data, 1.0

        self._output = np.empty_like(given.query)
        self._lse = np.empty((case.batch, case.heads, case.queries, 1), compute)
        # The views outlive the calls: building them anew would be timed.
        self._views = [view(self._output), view(self._lse), view(given.output_gradient)]
        problem_, output, lse, output_gradient = map(ctypes.byref, (problem, *self._views))
        forward, backward = library.attn_forward, library.attn_backward
        if case.work == "forward":
            self.call = lambda: self._check(forward(problem_, output, None))
            return
        self._gradients = {name: np.empty_like(getattr(given, name)) for name in ("query", "key", "value")}
        results = self._results = Gradients(*(view(gradient) for gradient in self._gradients.values()))
        if given.additive is not None:
            self._gradients["additive"] = np.empty_like(given.additive)
            results.additive = self._gradients["additive"].ctypes.data
        gradients = ctypes.byref(results)
        if case.work == "backward":
            self._check(forward(problem_, output, lse))
            self.call = lambda: self._check(backward(problem_, output, lse, output_gradient, gradients))
            return

        def both() -> None:
            self._check(forward(problem_, output, lse))
            self._check(backward(problem_, output, lse, output_gradient, gradients))

        self.call = both

    def _check(self, status: int) -> None:
        if status != 0:
            raise RuntimeError(self._library.attn_error_message().decode())

    def activate(self) -> None:
        self._library.omp_set_num_threads(self._threads)

    def outputs(self) -> dict[str, Array]:
        stored = {"output": self._output, **(self._gradients if self._case.work != "forward" else {})}
        compute = {"additive"}
        return {k: v if k in compute else arrays.load(v, self._case.type) for k, v in stored.items()}


class _Ours:
    def __init__(self, build: str, isa: str | None) -> None:
        library = self._library = load(build)
        self._isa = isa
        names = range(library.attn_isa_count())
        usable = [library.attn_isa_name(i).decode() for i in names if library.attn_isa_available(i)]
        if isa and isa not in usable:
            raise ValueError(f"the instruction set '{isa}' is none of {', '.join(usable)}")

    def describe(self) -> dict[str, str]:
        isa = self._isa or (self._library.attn_isa_default() or b"none").decode()
        return {
            "version": self._library.attn_version().decode(),
            "isa": isa,
            "threading": f"{_openmp()}, omp_set_num_threads",
        }

    def prepare(self, case: Case, threads: int) -> Prepared:
        return _Prepared(self._library, case, threads, self._isa)


def _openmp() -> str:
    """The file name of the OpenMP runtime in this process, where the system tells."""
    try:
        maps = pathlib.Path("/proc/self/maps").read_text()
    except OSError:
        return "OpenMP"
    names = sorted(set(re.findall(r"/(lib(?:gomp|i?omp5?)[^/\s]*)$", maps, re.MULTILINE)))
    return "OpenMP, " + ", ".join(names) if names else "no OpenMP"


def make(build: str, isa: str | None, most_threads: int) -> _Ours:
    return _Ours(build, isa)
