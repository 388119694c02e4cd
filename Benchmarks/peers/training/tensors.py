"""Tensors of a safetensors file, which is a length, a header of that many bytes in JSON, and the numbers."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import numpy.typing as npt


def read(path: pathlib.Path) -> dict[str, npt.NDArray[np.float32]]:
    """Those of a file of float32 tensors, by name."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    found = {}
    for name, entry in json.loads(data[8:end]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is of type {entry['dtype']}, expected F32")
        first, last = entry["data_offsets"]
        found[name] = np.frombuffer(data[end + first : end + last], dtype="<f4").reshape(entry["shape"]).copy()
    return found
