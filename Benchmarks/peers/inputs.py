"""The arrays of a case: the same in every process, from a fixed seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shapes import Case

Array = npt.NDArray[Any]


@dataclass
class Inputs:
    """Standard normal numbers in the case's storage type; bfloat16 is kept as uint16. Contiguous.

    query and output_gradient [B, H, Sq, D], key and value [B, G, Sk, D]; mask [Sq, Sk]; bias [Sq, Sk] or [H, Sq, Sk],
    in float32 or, for float64 cases, float64; additive [D].
    """

    query: Array
    key: Array
    value: Array
    output_gradient: Array
    mask: Array | None
    bias: Array | None
    additive: Array | None


def generate(case: Case, seed: int = 20240607) -> Inputs:
    random = np.random.default_rng(seed)
    compute = np.float64 if case.type == "float64" else np.float32

    def normal(*shape: int) -> Array:
        return random.standard_normal(shape, dtype=compute)

    queries = (case.batch, case.heads, case.queries, case.dimension)
    keys = (case.batch, case.kv_heads, case.keys, case.dimension)
    query, key, value, output_gradient = (store(normal(*shape), case.type) for shape in (queries, keys, keys, queries))
    mask = None
    if case.mask:
        mask = random.random((case.queries, case.keys)) < 0.75
        mask[:, 0] = True  # no query without a key: systems differ in what that gives
    bias = None
    if case.bias:
        bias = normal(*(() if case.bias == "shared" else (case.heads,)), case.queries, case.keys)
    additive = normal(case.dimension) / compute(case.dimension**0.5) if case.kind == "additive" else None
    return Inputs(query, key, value, output_gradient, mask, bias, additive)


def store(values: Array, type_: str) -> Array:
    """Rounded to nearest even; bfloat16 as the upper halves of float32."""
    if type_ != "bfloat16":
        return np.ascontiguousarray(values.astype(type_))
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def load(stored: Array, type_: str) -> Array:
    """Back to a type that NumPy computes in."""
    if type_ == "bfloat16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored.astype(np.float32) if type_ == "float16" else stored


def tolerance(case: Case) -> float:
    """How far two right results may lie apart, as a part of the largest element.

    A score of magnitude 16 that is off by its rounding moves its weight by 16 u; sums of Sk such terms in different
    orders differ by about sqrt(Sk) u. Eight times that; gradients chain two softmaxes' worth and four sums. 16-bit
    storage adds the rounding of results, and of weights where a system stores them.
    """
    unit = 2.0**-53 if case.type == "float64" else 2.0**-24
    sums: float = 8 * unit * (16 + max(case.queries, case.keys) ** 0.5)
    if case.work != "forward":
        sums *= 4
    storage = {"float16": 2.0**-11, "bfloat16": 2.0**-8}.get(case.type, 0.0)
    return sums + 6 * storage
