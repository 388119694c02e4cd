"""Attention as one writes it in PyTorch without a fused call: two products around a softmax, or the additive scores as
a [B, Sq, Sk, H] array. What a fused kernel must never be slower than."""

from __future__ import annotations

import torch

from shapes import Case
from systems.system import Prepared, Unsupported
from systems.torch_tensors import TorchPrepared, describe

_MOST_BYTES = 1 << 30


class _Dot(TorchPrepared):
    def __init__(self, case: Case, threads: int) -> None:
        super().__init__(case, threads)
        given = self.given
        visible = given.window if given.window is not None else given.mask
        if case.causal and visible is None:
            visible = torch.ones(case.queries, case.keys, dtype=torch.bool).tril()
        self._bias = None if given.bias is None else given.bias.to(given.query.dtype)
        if visible is not None:
            # Added, not filled in: the cheaper of the two.
            infinite = torch.zeros(case.queries, case.keys, dtype=given.query.dtype)
            infinite.masked_fill_(~visible, -torch.inf)
            self._bias = infinite if self._bias is None else self._bias + infinite
        self._scale, self._groups = case.dimension**-0.5, case.heads // case.kv_heads

    def attend(self) -> torch.Tensor:
        key, value = self.given.key, self.given.value
        if self._groups > 1:
            key, value = key.repeat_interleave(self._groups, 1), value.repeat_interleave(self._groups, 1)
        scores = (self.given.query * self._scale) @ key.transpose(-2, -1)
        if self.case.softcap:
            scores = self.case.softcap * torch.tanh(scores / self.case.softcap)
        if self._bias is not None:
            scores = scores + self._bias
        return torch.softmax(scores, -1) @ value


class _Additive(TorchPrepared):
    def attend(self) -> torch.Tensor:
        query, key, value = (x.squeeze(1) for x in (self.given.query, self.given.key, self.given.value))
        assert self.given.additive is not None
        scores = torch.tanh(query.unsqueeze(2) + key.unsqueeze(1)) @ self.given.additive
        return torch.bmm(torch.softmax(scores, -1), value).unsqueeze(1)


class _Unfused:
    def describe(self) -> dict[str, str]:
        return describe("matmul, softmax, matmul; additive: tanh of the [B, Sq, Sk, H] sum, product, softmax, bmm")

    def prepare(self, case: Case, threads: int) -> Prepared:
        if case.kind == "additive":
            return _Additive(case, threads)
        if case.scores_bytes > _MOST_BYTES:
            raise Unsupported(f"the scores take {case.scores_bytes / 2**30:.1f} GiB")
        return _Dot(case, threads)


def make(build: str, isa: str | None, most_threads: int) -> _Unfused:
    return _Unfused()
