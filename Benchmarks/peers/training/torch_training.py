"""PyTorch's side of the training suite: the same epoch, batch by batch.

No part of it is slowed down: batches are tensors before the time is taken (ours makes them as it goes), and each of
these was tried, see TRIED.
"""

from __future__ import annotations

import pathlib
import time
from typing import Any

import torch
from torch import nn

from training import batches, tensors
from training.model import TranslationModel


class TorchTraining:
    """Answers `open` and `train` as the Swift worker does."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self._next = 0

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["do"] == "open":
            return self._open(command)
        if command["do"] == "train":
            return self._train(command["batches"])
        raise ValueError(f"unknown command {command['do']}")

    def _open(self, command: dict[str, Any]) -> dict[str, Any]:
        """`model` and `batches` are the files that our worker wrote; `precision` is float32 or float64."""
        torch.manual_seed(0)
        self._batches = batches.read(pathlib.Path(command["batches"]))
        parameters = {name: torch.from_numpy(x) for name, x in tensors.read(pathlib.Path(command["model"])).items()}
        self._model = TranslationModel(parameters, command["dropout"]).to(getattr(torch, command["precision"]))
        self._parameters = list(self._model.parameters())
        self._optimizer = torch.optim.Adam(self._parameters, lr=0.001, fused=True)
        self._next = 0
        return {"parameters": sum(parameter.numel() for parameter in self._parameters)}

    def _train(self, count: int) -> dict[str, Any]:
        start = time.perf_counter()
        taken = self._batches[self._next : self._next + count]
        losses = [self._step(batch) for batch in taken]
        self._next += count
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "tokens": sum(batch.tokens for batch in taken), "losses": losses}

    def _step(self, batch: batches.Batch) -> float:
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._model(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimizer.step()
        return float(loss)


def describe() -> dict[str, str]:
    from systems.torch_tensors import describe

    return describe("nn.LSTM, packed rows, cross_entropy, Adam(fused=True)")
