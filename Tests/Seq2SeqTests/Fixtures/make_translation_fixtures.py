"""Records translation models of PyTorch: parameters, logits, attention weights, loss and all gradients in float32, and
how far those gradients are from the same model's in float64 (error.NAME = float32 - float64).

    python make_translation_fixtures.py    # needs torch, safetensors; writes translation-*.safetensors beside itself
"""

import copy
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SOURCES = [[4, 5, 6, 7, 8], [6, 4, 9], [5, 8]]
TARGETS = [[5, 4, 9], [7, 6, 10, 4], [8]]
SOURCE_WORDS, TARGET_WORDS = "abcdef", "uvwxyzq"
EMBEDDING, HIDDEN, SMOOTHING = 5, 4, 0.1


class Additive(nn.Module):
    def __init__(self, queries, keys):
        super().__init__()
        self.W_q, self.W_k = nn.Linear(queries, queries), nn.Linear(keys, queries, bias=False)
        self.w_v = nn.Linear(queries, 1, bias=False)

    def forward(self, q, k):
        return self.w_v(torch.tanh(self.W_q(q)[:, :, None] + self.W_k(k)[:, None])).squeeze(-1)


class General(nn.Module):
    def __init__(self, queries, keys):
        super().__init__()
        self.attn = nn.Linear(keys, queries, bias=False)

    def forward(self, q, k):
        return q @ self.attn(k).transpose(1, 2)


class Concat(nn.Module):
    def __init__(self, queries, keys):
        super().__init__()
        self.attn = nn.Linear(queries + keys, queries, bias=False)
        self.v = nn.Parameter(torch.rand(queries) - 0.5)

    def forward(self, q, k):
        pairs = q[:, :, None].expand(-1, -1, k.shape[1], -1), k[:, None].expand(-1, q.shape[1], -1, -1)
        return torch.tanh(self.attn(torch.cat(pairs, -1))) @ self.v


class Cosine(nn.Module):
    def __init__(self):
        super().__init__()
        self.temperature = nn.Parameter(torch.tensor(0.3))

    def forward(self, q, k):
        return cosine_similarity(q[:, :, None], k[:, None], dim=-1) / self.temperature


class Dot(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, q, k):
        return q @ k.transpose(1, 2) * self.scale


def scores(kind, queries, keys):
    return {
        "additive": lambda: Additive(queries, keys),
        "general": lambda: General(queries, keys),
        "concat": lambda: Concat(queries, keys),
        "cosine": Cosine,
        "dot": lambda: Dot(1.0),
        "scaled-dot": lambda: Dot(queries**-0.5),
        "none": lambda: None,
    }[kind]()


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        cell = nn.LSTM if c["cell"] == "lstm" else nn.GRU
        self.c, self.directions = c, 2 if c["bidirectional"] else 1
        wide = self.directions * HIDDEN
        self.embedding = nn.Embedding(4 + len(SOURCE_WORDS), EMBEDDING, padding_idx=0)
        self.rnn = cell(EMBEDDING, HIDDEN, c["layers"], bidirectional=c["bidirectional"], batch_first=True)
        if c["bidirectional"]:
            parts = ["hidden", "cell"] if c["cell"] == "lstm" else ["hidden"]
            self.bridge = nn.ModuleDict(
                {p: nn.ModuleList(nn.Linear(wide, HIDDEN) for _ in range(c["layers"])) for p in parts}
            )
        narrow = c["attention"] in ("dot", "scaled-dot", "cosine") and wide != HIDDEN
        self.projection = nn.Linear(wide, HIDDEN, bias=False) if narrow else None

    def carried(self, part, state):
        if self.directions == 1:
            return state
        layers = state.view(self.c["layers"], 2, state.shape[1], HIDDEN)
        joined = [torch.cat([layer[0], layer[1]], -1) for layer in layers]
        return torch.stack([torch.tanh(linear(x)) for linear, x in zip(self.bridge[part], joined)])

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        output, state = self.rnn(packed)
        memory, _ = pad_packed_sequence(output, batch_first=True)
        if self.projection is not None:
            memory = self.projection(memory)
        if self.c["cell"] == "lstm":
            return memory, (self.carried("hidden", state[0]), self.carried("cell", state[1]))
        return memory, self.carried("hidden", state)


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        cell = nn.LSTM if c["cell"] == "lstm" else nn.GRU
        self.c = c
        wide = (2 if c["bidirectional"] else 1) * HIDDEN
        keys = HIDDEN if c["attention"] in ("dot", "scaled-dot", "cosine") else wide
        joined = HIDDEN + (0 if c["attention"] == "none" else keys)
        width = HIDDEN if c["attentionalLayer"] else joined
        self.width = width
        self.embedding = nn.Embedding(4 + len(TARGET_WORDS), EMBEDDING, padding_idx=0)
        self.rnn = cell(EMBEDDING + (width if c["inputFeeding"] else 0), HIDDEN, c["layers"], batch_first=True)
        self.attention = scores(c["attention"], HIDDEN, keys)
        self.combination = nn.Linear(joined, HIDDEN) if c["attentionalLayer"] else None
        self.output = nn.Linear(width, 4 + len(TARGET_WORDS))

    def attend(self, hidden, memory, lengths):
        if self.attention is None:
            joined, weights = hidden, None
        else:
            beyond = torch.arange(memory.shape[1])[None] >= torch.tensor(lengths)[:, None]
            weights = self.attention(hidden, memory).masked_fill(beyond[:, None], -torch.inf).softmax(-1)
            joined = torch.cat([weights @ memory, hidden], -1)
        return (joined if self.combination is None else torch.tanh(self.combination(joined))), weights

    def forward(self, ids, memory, state, lengths):
        x, vectors, weights = self.embedding(ids), [], []
        vector = torch.zeros(ids.shape[0], 1, self.width, dtype=x.dtype)
        for t in range(ids.shape[1]):
            step = x[:, t : t + 1]
            hidden, state = self.rnn(torch.cat([step, vector], -1) if self.c["inputFeeding"] else step, state)
            vector, weight = self.attend(hidden, memory, lengths)
            vectors.append(vector)
            weights.append(weight)
        return self.output(torch.cat(vectors, 1)), None if weights[0] is None else torch.cat(weights, 1)


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.encoder, self.decoder = Encoder(c), Decoder(c)

    def forward(self, source, lengths, target):
        memory, state = self.encoder(source, lengths)
        return self.decoder(target, memory, state, lengths)


def padded(rows):
    length = max(map(len, rows))
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def codec(words):
    return json.dumps({"tokenizer": {"kind": "spaces"}, "vocabulary": {"tokens": ["<pad>", "<unk>", "<s>", "</s>", *words]}})


def record(name, **changes):
    torch.manual_seed(len(name))
    c = {
        "cell": "lstm", "embeddingDimensions": EMBEDDING, "hiddenDimensions": HIDDEN, "layers": 1,
        "bidirectional": True, "attention": "additive", "localWindow": 2, "attentionalLayer": True,
        "inputFeeding": False, "dropout": 0.0,
    } | changes  # fmt: skip
    model = Model(c)
    exact = copy.deepcopy(model).double()
    inputs, outputs = padded([[2] + t for t in TARGETS]), padded([t + [3] for t in TARGETS])
    logits, weights = model(padded(SOURCES), [len(s) for s in SOURCES], inputs)
    real = outputs != 0
    nll = cross_entropy(logits[real], outputs[real], reduction="sum")
    loss = cross_entropy(logits[real], outputs[real], reduction="sum", label_smoothing=SMOOTHING)
    (loss / real.sum()).backward()
    tensors = {f"model.{k}": v.detach() for k, v in model.state_dict().items()}
    tensors |= {f"gradient.{k}": v.grad for k, v in model.named_parameters()}
    logits64, _ = exact(padded(SOURCES), [len(s) for s in SOURCES], inputs)
    loss64 = cross_entropy(logits64[real], outputs[real], reduction="sum", label_smoothing=SMOOTHING)
    (loss64 / real.sum()).backward()
    truth = dict(exact.named_parameters())
    tensors |= {f"error.{k}": (v.grad.double() - truth[k].grad).float() for k, v in model.named_parameters()}
    tensors |= {"logits": logits.detach(), "nll": nll.detach(), "loss": loss.detach()}
    if weights is not None:
        tensors["weights"] = weights.detach()
    metadata = {
        "format": "swift-attention translation model 1", "configuration": json.dumps(c),
        "source": codec(SOURCE_WORDS), "target": codec(TARGET_WORDS),
    }  # fmt: skip
    folder = pathlib.Path(__file__).parent
    save_file({k: v.clone().contiguous() for k, v in tensors.items()}, folder / f"translation-{name}.safetensors", metadata)


if __name__ == "__main__":
    torch.set_num_threads(1)
    record("additive")
    record("additive-feeding", inputFeeding=True, layers=2)
    record("gru-general", cell="gru", attention="general", layers=2, attentionalLayer=False)
    record("gru-feeding", cell="gru", attention="general", attentionalLayer=False, inputFeeding=True)
    record("unidirectional-dot", attention="dot", bidirectional=False)
    record("projected-dot", attention="dot")
    record("scaled-dot", attention="scaled-dot")
    record("concat", attention="concat")
    record("cosine", attention="cosine")
    record("none", attention="none")
