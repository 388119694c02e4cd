"""The batches that our trainer takes, as tensors."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass

import torch
from torch import Tensor

# The numbers of Seq2Seq.Vocabulary.
PADDING, START, END = 0, 2, 3


@dataclass
class Batch:
    """B pairs, the longest source first."""

    source: Tensor  # [B, Ts]
    source_lengths: Tensor  # [B]
    source_padding: Tensor  # [B, Ts], true beyond the lengths
    target_input: Tensor  # [B, Tt], begins with START
    is_target: Tensor  # [B, Tt]
    target_output: Tensor  # [N], without padding; each row ends with END

    @property
    def tokens(self) -> int:
        return len(self.target_output)


def read(path: pathlib.Path) -> list[Batch]:
    return [_batch(rows["source"], rows["target"]) for rows in json.loads(path.read_text())]


def _batch(sources: list[list[int]], targets: list[list[int]]) -> Batch:
    source, source_lengths = _padded(sources)
    target_input, lengths = _padded([[START, *target] for target in targets])
    return Batch(
        source,
        source_lengths,
        torch.arange(source.shape[1]) >= source_lengths[:, None],
        target_input,
        torch.arange(target_input.shape[1]) < lengths[:, None],
        torch.tensor([token for target in targets for token in (*target, END)]),
    )


def _padded(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row in rows])
    longest = int(lengths.max())
    return torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows]), lengths
