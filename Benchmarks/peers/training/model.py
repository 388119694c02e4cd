"""The translation model in PyTorch, with parameters named as in our files.

Written for speed with what PyTorch has: all steps of the decoder in one call, attention of all steps at once, and from
there on rows without padding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from training.batches import PADDING, Batch


class Encoder(nn.Module):
    def __init__(self, vocabulary: int, embedding: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PADDING)
        self.dropout = nn.Dropout(dropout)
        self.rnn = nn.LSTM(embedding, hidden, batch_first=True, bidirectional=True)
        self.bridge = nn.ModuleDict(
            {part: nn.ModuleList([nn.Linear(2 * hidden, hidden)]) for part in ("hidden", "cell")}
        )

    def forward(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The states [B, Ts, 2H], and the decoder's first."""
        x = self.dropout(self.embedding(batch.source))
        packed, (hidden, cell) = self.rnn(pack_padded_sequence(x, batch.source_lengths, batch_first=True))
        states, _ = pad_packed_sequence(packed, batch_first=True)
        return states, (self._bridged("hidden", hidden), self._bridged("cell", cell))

    def _bridged(self, part: str, final: Tensor) -> Tensor:
        return torch.tanh(self.bridge[part][0](torch.cat([final[0], final[1]], -1)))[None]


class AdditiveAttention(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.W_q = nn.Linear(hidden, hidden)
        self.W_k = nn.Linear(2 * hidden, hidden, bias=False)
        self.w_v = nn.Linear(hidden, 1, bias=False)

    def forward(self, queries: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        scores = self.w_v(torch.tanh(self.W_q(queries)[:, :, None] + self.W_k(memory)[:, None])).squeeze(-1)
        return scores.masked_fill(padding[:, None], -torch.inf).softmax(-1) @ memory


class Decoder(nn.Module):
    def __init__(
        self, vocabulary: int, embedding: int, hidden: int, dropout: float, attentional_layer: bool
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PADDING)
        self.dropout = nn.Dropout(dropout)
        self.rnn = nn.LSTM(embedding, hidden, batch_first=True)
        self.attention = AdditiveAttention(hidden)
        self.combination = nn.Linear(3 * hidden, hidden) if attentional_layer else None
        self.output = nn.Linear(hidden if attentional_layer else 3 * hidden, vocabulary)

    def forward(self, batch: Batch, memory: Tensor, state: tuple[Tensor, Tensor]) -> Tensor:
        """Logits of the real target positions, [N, V]."""
        hidden, _ = self.rnn(self.dropout(self.embedding(batch.target_input)), state)
        context = self.attention(hidden, memory, batch.source_padding)
        vectors = torch.cat([context, hidden], -1)[batch.is_target]
        if self.combination is not None:
            vectors = torch.tanh(self.combination(vectors))
        logits: Tensor = self.output(self.dropout(vectors))
        return logits


class TranslationModel(nn.Module):
    def __init__(self, parameters: dict[str, Tensor], dropout: float) -> None:
        """A model of these parameters, which also tell its form. Raises RuntimeError where they are those of another
        model."""
        super().__init__()
        (sources, embedding), targets = parameters["encoder.embedding.weight"].shape, parameters["decoder.output.bias"]
        hidden = parameters["decoder.rnn.weight_hh_l0"].shape[1]
        self.encoder = Encoder(sources, embedding, hidden, dropout)
        self.decoder = Decoder(
            len(targets), embedding, hidden, dropout, attentional_layer="decoder.combination.weight" in parameters
        )
        self.load_state_dict(parameters)

    def forward(self, batch: Batch) -> Tensor:
        """The mean loss of a target token."""
        memory, state = self.encoder(batch)
        return cross_entropy(self.decoder(batch, memory, state), batch.target_output)
