"""The two processes that train, and what they are asked."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from dataclasses import dataclass
from typing import Any, Literal

from processes import Worker, environment
from training.forms import Form, Sizes, Training

OURS, TORCH = "ours", "torch"
_WORKER = pathlib.Path(__file__).resolve().parents[1] / "training_worker.py"

# What AttentionSystem.keepFreedMemory() sets here, in glibc's variables: 1 to 2 % for PyTorch.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}


@dataclass
class Turn:
    """Some batches of an epoch by one system."""

    seconds: float
    tokens: int
    losses: list[float]  # of each batch, per target token
    processor: float  # seconds of all threads, spinning included


@dataclass(frozen=True)
class Files:
    """What the systems share: sentences, and what ours writes for the other."""

    pairs: pathlib.Path
    folder: pathlib.Path

    @property
    def model(self) -> pathlib.Path:
        return self.folder / "model.safetensors"

    @property
    def batches(self) -> pathlib.Path:
        return self.folder / "batches.json"


class Pair:
    """Both systems with one number of threads. Its calls raise WorkerFailed."""

    def __init__(self, trainer: pathlib.Path, build: str, threads: int, isa: str | None, cap: bool) -> None:
        ours = environment(threads) | ({"ATTENTION_ISA": isa} if isa else {})
        self.ours = Worker(OURS, [str(trainer), "train-worker"], ours)
        command = [sys.executable, str(_WORKER), "--build", build, "--threads", str(threads)]
        self.torch = Worker(TORCH, command + (["--cap"] if cap else []), environment(threads, cap) | _KEPT_MEMORY)

    @property
    def workers(self) -> list[Worker]:
        return [self.ours, self.torch]

    @property
    def failure(self) -> str | None:
        return next((f"{worker.system}: {worker.failure}" for worker in self.workers if worker.failure), None)

    def open_ours(self, form: Form, sizes: Sizes, files: Files, how: Training) -> dict[str, Any]:
        """A training from its beginning; writes the model and the batches."""
        training = dataclasses.asdict(sizes) | {
            "pairs": str(files.pairs),
            "attentionalLayer": form.attentional_layer,
            "dropout": how.dropout,
            "learningRate": how.rate,
            "clip": how.clip,
            "model": str(files.model),
            "batches": str(files.batches),
        }
        return self.ours.ask("open", training=training)

    def open_torch(
        self, files: Files, how: Training, precision: Literal["float32", "float64"] = "float32"
    ) -> dict[str, Any]:
        """The same training by PyTorch."""
        paths = {"model": str(files.model), "batches": str(files.batches)}
        numbers = {"dropout": how.dropout, "learningRate": how.rate, "clip": how.clip}
        return self.torch.ask("open", **paths, **numbers, precision=precision)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def train(worker: Worker, batches: int) -> Turn:
    before = worker.processor_seconds()
    answer = worker.ask("train", batches=batches)
    return Turn(**answer, processor=worker.processor_seconds() - before)
