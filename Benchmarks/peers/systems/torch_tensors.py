"""What both uses of PyTorch share: the arrays as tensors, and its description."""

from __future__ import annotations

import torch

import inputs as arrays
from inputs import Array
from shapes import Case


def tensor(array: Array, type_: str) -> torch.Tensor:
    """The array's memory as a tensor."""
    made = torch.from_numpy(array)
    return made.view(torch.bfloat16) if type_ == "bfloat16" else made


def array(made: torch.Tensor) -> Array:
    made = made.detach()
    narrow = made.dtype in (torch.bfloat16, torch.float16)
    result: Array = (made.float() if narrow else made).numpy()
    return result


class Tensors:
    """A case's inputs; leaves of a graph when gradients are wanted."""

    def __init__(self, case: Case) -> None:
        given = self.inputs = arrays.generate(case)
        self.query, self.key, self.value, self.output_gradient = (
            tensor(a, case.type) for a in (given.query, given.key, given.value, given.output_gradient)
        )
        self.mask = None if given.mask is None else torch.from_numpy(given.mask)
        self.bias = None if given.bias is None else torch.from_numpy(given.bias)
        self.additive = None if given.additive is None else torch.from_numpy(given.additive)
        self.leaves = {"query": self.query, "key": self.key, "value": self.value}
        if self.additive is not None:
            self.leaves["additive"] = self.additive
        if case.work != "forward":
            for leaf in self.leaves.values():
                leaf.requires_grad_()
        self.window = None
        if case.window is not None:
            rows, columns = torch.arange(case.queries)[:, None], torch.arange(case.keys)
            self.window = (columns <= rows) & (columns > rows - case.window)


class TorchPrepared:
    """Subclasses say what `attend` is."""

    def __init__(self, case: Case, threads: int) -> None:
        self._threads = threads
        self.activate()
        self.case, self.given = case, Tensors(case)
        self._leaves = tuple(self.given.leaves.values())
        self._gradients: tuple[torch.Tensor, ...] = ()
        self._output = torch.empty(0)
        self.call = {"forward": self._forward, "backward": self._backward, "both": self._both}[case.work]

    def attend(self) -> torch.Tensor:
        raise NotImplementedError

    def activate(self) -> None:
        torch.set_num_threads(self._threads)

    def _forward(self) -> None:
        with torch.inference_mode():
            self._output = self.attend()

    def _backward(self) -> None:
        if self._output.numel() == 0:
            self._output = self.attend()
        self._gradients = torch.autograd.grad(self._output, self._leaves, self.given.output_gradient, retain_graph=True)

    def _both(self) -> None:
        self._output = self.attend()
        self._gradients = torch.autograd.grad(self._output, self._leaves, self.given.output_gradient)

    def outputs(self) -> dict[str, Array]:
        gradients = dict(zip(self.given.leaves, self._gradients, strict=True)) if self._gradients else {}
        return {"output": array(self._output)} | {name: array(made) for name, made in gradients.items()}


def describe(method: str) -> dict[str, str]:
    return {
        "version": torch.__version__,
        "isa": torch.backends.cpu.get_cpu_capability(),
        "threading": "OpenMP and MKL, torch.set_num_threads",
        "method": method,
        "build": " · ".join(
            line.strip(" -")
            for line in torch.__config__.show().splitlines()
            if any(word in line for word in ("Math Kernel", "MKL-DNN", "capability", "OpenMP"))
        ),
    }
