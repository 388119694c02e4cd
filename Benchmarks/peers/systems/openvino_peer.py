"""OpenVINO's ScaledDotProductAttention (opset 13) as a model of that one operation, on shared tensors."""

from __future__ import annotations

import numpy as np
import openvino
from openvino import opset13

import inputs as arrays
from inputs import Array
from shapes import Case
from systems.system import Prepared, Unsupported


class _Prepared:
    def __init__(self, core: openvino.Core, case: Case, threads: int) -> None:
        given = arrays.generate(case)
        held: list[Array] = [given.query, given.key, given.value]
        if given.mask is not None:
            held.append(given.mask)
        elif given.bias is not None:
            held.append(given.bias.reshape((1, -1, case.queries, case.keys)))
        parameters = [opset13.parameter(array.shape, array.dtype) for array in held]
        attention = opset13.scaled_dot_product_attention(*parameters, causal=case.causal)
        compiled = core.compile_model(
            openvino.Model([attention.output(0)], parameters, "attention"),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "f32",
                "PERFORMANCE_HINT": "LATENCY",
            },
        )
        request = self._request = compiled.create_infer_request()
        self._held = held
        self._output = np.empty_like(given.query)
        for index, array in enumerate(held):
            request.set_input_tensor(index, openvino.Tensor(array, shared_memory=True))
        request.set_output_tensor(0, openvino.Tensor(self._output, shared_memory=True))

    def call(self) -> None:
        # Blocks until done; unlike infer() it builds no dictionary of outputs.
        self._request.start_async()
        self._request.wait()

    def activate(self) -> None:
        pass

    def outputs(self) -> dict[str, Array]:
        return {"output": self._output}


class _OpenVINO:
    def __init__(self) -> None:
        self._core = openvino.Core()

    def describe(self) -> dict[str, str]:
        return {
            "version": openvino.get_version(),
            "isa": "as the plug-in finds; it can do "
            + ", ".join(self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
            "threading": "oneTBB, INFERENCE_NUM_THREADS",
            "method": "opset13.ScaledDotProductAttention, precision f32",
        }

    def prepare(self, case: Case, threads: int) -> Prepared:
        for unsupported, reason in (
            (case.work != "forward", "no gradients"),
            (case.kind != "dot", "no additive attention"),
            (case.type != "float32", f"computes {case.type} in another type"),
            (case.window is not None, "no window"),
            (case.softcap != 0, "no softcap"),
            (case.heads != case.kv_heads, "no grouped heads in this operator"),
        ):
            if unsupported:
                raise Unsupported(reason)
        return _Prepared(self._core, case, threads)


def make(build: str, isa: str | None, most_threads: int) -> _OpenVINO:
    return _OpenVINO()
