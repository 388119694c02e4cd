"""include/attention.h for ctypes. `load` compares every size and offset with the compiler's."""

from __future__ import annotations

import ctypes
import json
import pathlib
import platform
import subprocess
from ctypes import c_bool, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint64, c_void_p

from inputs import Array


class View(ctypes.Structure):
    """attn_input and attn_output."""

    _fields_ = [("data", c_void_p)] + [(f"stride_{axis}", c_int64) for axis in ("batch", "head", "row")]


_PAIR_STRIDES = [(f"stride_{axis}", c_int64) for axis in ("batch", "head", "row", "key")]


class Mask(ctypes.Structure):
    _fields_ = [("data", c_void_p), *_PAIR_STRIDES]


class Bias(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("type", c_int), *_PAIR_STRIDES]


class BiasGradient(ctypes.Structure):
    _fields_ = [("data", c_void_p), *_PAIR_STRIDES]


class Problem(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("type", c_int),
        ("batch", c_int64),
        ("query_heads", c_int64),
        ("kv_heads", c_int64),
        ("query_length", c_int64),
        ("key_length", c_int64),
        ("head_dim", c_int64),
        ("value_dim", c_int64),
        ("query", View),
        ("key", View),
        ("value", View),
        ("additive", c_void_p),
        ("additive_stride_head", c_int64),
        ("scale", c_double),
        ("softcap", c_double),
        ("alignment", c_int),
        ("query_offset", c_int64),
        ("query_offsets", c_void_p),
        ("causal", c_bool),
        ("window_left", c_int64),
        ("window_right", c_int64),
        ("key_lengths", c_void_p),
        ("mask", Mask),
        ("bias", Bias),
        ("alibi_slopes", c_void_p),
        ("sinks", c_void_p),
        ("dropout_probability", c_double),
        ("dropout_seed", c_uint64),
        ("query_starts", c_void_p),
        ("key_starts", c_void_p),
        ("page_table", c_void_p),
        ("page_rows", c_int64),
        ("page_count", c_int64),
        ("pages_per_sequence", c_int64),
        ("progress", c_void_p),
        ("threads", c_int),
        ("isa", c_char_p),
    ]


class Gradients(ctypes.Structure):
    _fields_ = [
        ("query", View),
        ("key", View),
        ("value", View),
        ("bias", BiasGradient),
        ("sinks", c_void_p),
        ("additive", c_void_p),
    ]


_MIRRORS: dict[str, type[ctypes.Structure]] = {
    "attn_input": View,
    "attn_output": View,
    "attn_mask": Mask,
    "attn_bias": Bias,
    "attn_problem": Problem,
    "attn_gradients": Gradients,
}

TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 3}


def check_layout(build: str) -> None:
    """Raises RuntimeError where a mirror differs from the header that native/layout.c was compiled with."""
    program = pathlib.Path(build) / "layout"
    compiled = json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
    for name, mirror in _MIRRORS.items():
        offsets = {field[0]: getattr(mirror, field[0]).offset for field in mirror._fields_}
        mirrored = {"size": ctypes.sizeof(mirror), "offsets": offsets}
        if compiled[name] != mirrored:
            raise RuntimeError(
                f"{name} of attention.h and its mirror in systems/attention_c.py differ:\n"
                f"  compiled {compiled[name]}\n  mirrored {mirrored}"
            )


def load(build: str) -> ctypes.CDLL:
    """The library of a build folder, with the functions used here declared."""
    check_layout(build)
    suffix = "dylib" if platform.system() == "Darwin" else "so"
    library = ctypes.CDLL(str(pathlib.Path(build) / f"libattention.{suffix}"))
    library.attn_problem_init.restype = Problem
    library.attn_problem_init.argtypes = [c_int] + [c_int64] * 7
    library.attn_forward.argtypes = [c_void_p] * 3
    library.attn_backward.argtypes = [c_void_p] * 5
    library.attn_isa_name.restype = c_char_p
    library.attn_isa_available.restype = c_bool
    for text in (library.attn_error_message, library.attn_version, library.attn_isa_default):
        text.restype = c_char_p
        text.argtypes = []
    problem = library.attn_problem_init(0, 1, 1, 1, 1, 1, 1, 1)
    if problem.struct_size != ctypes.sizeof(Problem):
        raise RuntimeError(f"the library's attn_problem has {problem.struct_size} bytes, not {ctypes.sizeof(Problem)}")
    return library


def view(array: Array) -> View:
    """A [B, H, S, D] array without a copy."""
    batch, head, row, _ = (stride // array.itemsize for stride in array.strides)
    return View(array.ctypes.data, batch, head, row)
