#!/usr/bin/env python3
"""Records nn.LSTM and nn.GRU and their gradients as PyTorch computes them, in float64.

    python make_recurrent_fixtures.py [recurrent-layers.safetensors]

Needs torch (CPU is enough). Each case is a set of tensors: CASE.parameters.NAME, CASE.inputs.NAME (x, hidden and, of an
LSTM, cell: the initial state, 0 where the case gives none), CASE.lengths and CASE.gradients.NAME (of output, hidden and
cell), whose numbers are exact in float32; what follows from them, CASE.results.NAME (output, hidden, cell),
CASE.results.parameters.NAME and CASE.results.inputs.NAME (gradients); and for every result CASE.float32_error.RESULT,
how far PyTorch's own float32 computation is from it at most. The versions are in the file's metadata.
"""

import json
import platform
import struct
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(21)
B, T, I, H = 4, 6, 3, 5
file = {}


def random(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


def record(case, kind, lengths=None, initial=True, **options):
    module = kind(I, H, batch_first=True, **options)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.6 * random(*parameter.shape))
    states = ["hidden", "cell"] if kind is nn.LSTM else ["hidden"]
    count = module.num_layers * (2 if module.bidirectional else 1)
    inputs = {"x": random(B, T, I)}
    inputs |= {name: random(count, B, H) if initial else torch.zeros(count, B, H) for name in states}
    gradients = {"output": random(B, T, H * (2 if module.bidirectional else 1))}
    gradients |= {name: random(count, B, H) for name in states}
    lengths = torch.tensor(lengths or [T] * B)

    def run(dtype):
        local = module.to(dtype)
        local.zero_grad()
        given = {n: x.detach().to(dtype).clone().requires_grad_() for n, x in inputs.items()}
        state = (given["hidden"], given["cell"]) if kind is nn.LSTM else given["hidden"]
        packed = pack_padded_sequence(given["x"], lengths, batch_first=True, enforce_sorted=False)
        packed, final = local(packed, state)
        output, _ = pad_packed_sequence(packed, batch_first=True, total_length=T)
        results = {"output": output}
        results |= dict(zip(states, final)) if kind is nn.LSTM else {"hidden": final}
        sum((results[n] * g.to(dtype)).sum() for n, g in gradients.items()).backward()
        results |= {f"parameters.{n}": p.grad for n, p in local.named_parameters()}
        results |= {f"inputs.{n}": x.grad for n, x in given.items()}
        return {n: r.detach().double().clone() for n, r in results.items()}

    for name, parameter in module.named_parameters():
        file[f"{case}.parameters.{name}"] = parameter.detach().clone()
    file[f"{case}.lengths"] = lengths
    file.update({f"{case}.inputs.{n}": x for n, x in inputs.items()})
    file.update({f"{case}.gradients.{n}": g for n, g in gradients.items()})
    single, double = run(torch.float32), run(torch.float64)
    for name, result in double.items():
        file[f"{case}.results.{name}"] = result
        file[f"{case}.float32_error.{name}"] = (single[name] - result).abs().max().reshape(1)


for name, kind in [("lstm", nn.LSTM), ("gru", nn.GRU)]:
    record(f"{name}", kind, initial=False)
    record(f"{name}_plain", kind, bias=False)
    record(f"{name}_packed", kind, [3, 6, 1, 4])
    record(f"{name}_two_layers", kind, [2, 2, 5, 6], num_layers=2)
    record(f"{name}_bidirectional", kind, [4, 1, 6, 3], initial=False, bidirectional=True)
    record(f"{name}_bidirectional_two_layers", kind, [5, 6, 2, 2], num_layers=2, bidirectional=True)

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
header, data = {"__metadata__": {"torch": torch.__version__, "python": platform.python_version()}}, bytearray()
for name, tensor in sorted(file.items(), key=lambda item: (item[1].dtype == torch.float32, item[0])):
    raw = tensor.contiguous().numpy().tobytes()
    header[name] = {
        "dtype": TYPES[tensor.dtype],
        "shape": list(tensor.shape),
        "data_offsets": [len(data), len(data) + len(raw)],
    }
    data += raw
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1] if len(sys.argv) > 1 else "recurrent-layers.safetensors", "wb") as output:
    output.write(struct.pack("<Q", len(text)) + text + data)
