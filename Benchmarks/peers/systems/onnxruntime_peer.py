"""ONNX Runtime's com.microsoft.MultiHeadAttention in a graph of that one node, through io-binding: inputs and output
stay where they are. Its layout is [B, S, H * D]: the same numbers as for the others, transposed before timing."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

import inputs as arrays
from inputs import Array
from shapes import Case
from systems.system import Prepared, Unsupported


def _graph(case: Case) -> bytes:
    width = case.heads * case.dimension
    shapes: dict[str, tuple[int, ...]] = {
        "query": (case.batch, case.queries, width),
        "key": (case.batch, case.keys, width),
        "value": (case.batch, case.keys, width),
    }
    if case.bias:
        shapes["bias"] = (1, case.heads if case.bias == "heads" else 1, case.queries, case.keys)
    # Inputs by position: query, key, value, bias of projections, key padding, attention bias.
    names = ["query", "key", "value"] + (["", "", "bias"] if case.bias else [])
    node = helper.make_node(
        "MultiHeadAttention",
        names,
        ["output"],
        domain="com.microsoft",
        num_heads=case.heads,
        unidirectional=int(case.causal),
    )
    typed = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, shapes["query"])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(helper.make_graph([node], "attention", typed, [output]), opset_imports=opsets)
    model.ir_version = 8
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def _rows(array: Array) -> Array:
    """[B, H, S, D] as [B, S, H * D]."""
    batch, _, length, _ = array.shape
    return np.ascontiguousarray(array.transpose(0, 2, 1, 3)).reshape(batch, length, -1)


class _Prepared:
    def __init__(self, case: Case, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = self._session = onnxruntime.InferenceSession(_graph(case), options, ["CPUExecutionProvider"])
        given = arrays.generate(case)
        self._case = case
        self._arrays = {"query": _rows(given.query), "key": _rows(given.key), "value": _rows(given.value)}
        if given.bias is not None:
            self._arrays["bias"] = given.bias.reshape((1, -1, case.queries, case.keys))
        self._output = np.empty_like(self._arrays["query"])
        binding = self._binding = session.io_binding()
        for name, array in self._arrays.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        binding.bind_output("output", "cpu", 0, np.float32, self._output.shape, self._output.ctypes.data)

    def call(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def activate(self) -> None:
        pass

    def outputs(self) -> dict[str, Array]:
        case = self._case
        shaped = self._output.reshape(case.batch, case.queries, case.heads, case.dimension)
        return {"output": shaped.transpose(0, 2, 1, 3)}


class _OnnxRuntime:
    def describe(self) -> dict[str, str]:
        return {
            "version": onnxruntime.__version__,
            "isa": "chosen by MLAS from CPUID, which it does not report; no variable caps it",
            "threading": "its own pool, intra_op_num_threads, spinning as by default",
            "method": "com.microsoft.MultiHeadAttention, io-binding",
        }

    def prepare(self, case: Case, threads: int) -> Prepared:
        for unsupported, reason in (
            (case.work != "forward", "no gradients"),
            (case.kind != "dot", "no additive attention"),
            (case.type != "float32", f"no {case.type} kernel for processors"),
            (case.window is not None, "no window"),
            (case.mask, "its mask is additive: see the bias rows"),
            (case.softcap != 0, "no softcap"),
            (case.heads != case.kv_heads, "no grouped heads in this operator"),
        ):
            if unsupported:
                raise Unsupported(reason)
        return _Prepared(case, threads)


def make(build: str, isa: str | None, most_threads: int) -> _OnnxRuntime:
    return _OnnxRuntime()
