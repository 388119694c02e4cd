"""The systems measured, each in a file, reached by name."""

from __future__ import annotations

import importlib

from systems.system import System

MODULES = {
    "ours": "systems.ours",
    "torch": "systems.torch_peer",
    "unfused": "systems.torch_unfused",
    "onnxruntime": "systems.onnxruntime_peer",
    "openvino": "systems.openvino_peer",
}

NAMES = tuple(MODULES)


def load(name: str, build: str, isa: str | None, most_threads: int) -> System:
    """Imports the system's library into this process: one process a system."""
    system: System = importlib.import_module(MODULES[name]).make(build=build, isa=isa, most_threads=most_threads)
    return system
