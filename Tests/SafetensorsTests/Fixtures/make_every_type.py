"""Writes every-type.safetensors beside this script, with the reference implementation (pip install safetensors==0.8.0).

Element i of each tensor is given below; the bytes are made with `struct`, so that no array library is involved.
"""

import ctypes
import pathlib
import struct

from safetensors import TensorSpec, serialize_file

# name: (dtype, shape, struct code, elements)
TENSORS = {
    "bool": ("bool", [4], "B", [0, 1, 1, 0]),
    "u8": ("uint8", [3], "B", [0, 127, 255]),
    "i8": ("int8", [3], "b", [-128, -1, 127]),
    "i16": ("int16", [2], "h", [-32768, 32767]),
    "u16": ("uint16", [2], "H", [0, 65535]),
    "f16": ("float16", [2, 2], "e", [-0.0, 1.5, 2.0**-24, 65504.0]),
    "bf16": ("bfloat16", [3], "H", [0x3FC0, 0xC2F7, 0x7F80]),  # 1.5, -123.5, infinity
    "i32": ("int32", [2], "i", [-(2**31), 2**31 - 1]),
    "u32": ("uint32", [1], "I", [2**32 - 1]),
    "f32": ("float32", [1, 3], "f", [0.5, -1.25, 3.0e38]),
    "f64": ("float64", [2], "d", [0.1, -1e300]),
    "i64": ("int64", [2], "q", [-(2**63), 2**63 - 1]),
    "u64": ("uint64", [1], "Q", [2**64 - 1]),
    "scalar": ("float32", [], "f", [7.0]),
    "empty": ("float32", [2, 0, 3], "f", []),
    'névé "\\/\n\x01': ("uint8", [1], "B", [9]),
}

BUFFERS = {
    name: ctypes.create_string_buffer(
        struct.pack(f"<{len(values)}{code}", *values), len(values) * struct.calcsize(code)
    )
    for name, (_, _, code, values) in TENSORS.items()
}

serialize_file(
    {
        name: TensorSpec(
            dtype=dtype, shape=shape, data_ptr=ctypes.addressof(BUFFERS[name]), data_len=ctypes.sizeof(BUFFERS[name])
        )
        for name, (dtype, shape, _, _) in TENSORS.items()
    },
    str(pathlib.Path(__file__).parent / "every-type.safetensors"),
    metadata={"note": 'tab\tquote" \U0001f600'},
)
