"""PyTorch's scaled_dot_product_attention, and autograd.grad through it with the output's gradient given."""

from __future__ import annotations

import torch

from shapes import Case
from systems.system import Prepared, Unsupported
from systems.torch_tensors import TorchPrepared, describe


class _Prepared(TorchPrepared):
    def __init__(self, case: Case, threads: int) -> None:
        super().__init__(case, threads)
        given = self.given
        bias = None if given.bias is None else given.bias[None].to(given.query.dtype)
        if bias is not None and bias.dim() == 3:
            bias = bias[None]
        self._mask = given.window if given.window is not None else given.mask if given.mask is not None else bias
        self._grouped = case.heads != case.kv_heads
        # With a window the mask says it all; the call takes no mask beside is_causal.
        self._causal = case.causal and given.window is None

    def attend(self) -> torch.Tensor:
        given = self.given
        return torch.nn.functional.scaled_dot_product_attention(
            given.query,
            given.key,
            given.value,
            attn_mask=self._mask,
            is_causal=self._causal,
            enable_gqa=self._grouped,
        )


class _Torch:
    def describe(self) -> dict[str, str]:
        return describe("torch.nn.functional.scaled_dot_product_attention, autograd.grad")

    def prepare(self, case: Case, threads: int) -> Prepared:
        if case.kind == "additive":
            raise Unsupported("no fused additive attention")
        if case.softcap:
            raise Unsupported("no softcap")
        return _Prepared(case, threads)


def make(build: str, isa: str | None, most_threads: int) -> _Torch:
    return _Torch()
