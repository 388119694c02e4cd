#!/usr/bin/env python3
"""Records transformer layers and their gradients as PyTorch computes them, in float64.

    python make_transformer_fixtures.py [transformer-layers.safetensors]

Needs torch (CPU is enough). Each case is a set of tensors: CASE.parameters.NAME, CASE.inputs.NAME and
CASE.output_gradient, whose numbers are exact in float32; what follows from them, CASE.results.output,
CASE.results.parameters.NAME and CASE.results.inputs.NAME (gradients) and CASE.results.weights_averaged and
CASE.results.weights where the layer has weights; and for every result CASE.float32_error.RESULT, how far PyTorch's own
float32 computation is from it at most, which is what bounds are made from. The versions are in the file's metadata.

Where PyTorch has the layer, it is PyTorch's own. Grouped heads, rotary embeddings and the single-head layers, which it
has not, are composed of its functions.
"""

import json
import math
import platform
import struct
import sys

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(20)
B, SQ, SK, E, H, F = 2, 4, 5, 8, 2, 12
file = {}


def random(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


class Composed(nn.Module):
    """Parameters by name, and a function of them."""

    def __init__(self, shapes, function):
        super().__init__()
        self.function = function
        self.tensors = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(random(*s)) for name, s in shapes.items()})

    def forward(self, *inputs):
        return self.function({name.replace("/", "."): p for name, p in self.tensors.items()}, *inputs)


def names(module):
    if isinstance(module, Composed):
        return {name.replace("/", "."): p for name, p in module.tensors.items()}
    return dict(module.named_parameters())


def record(case, module, inputs, call=None, weights=None):
    """inputs: name -> tensor; integers get no gradient. call(module, *inputs); weights(module, averaged, *inputs)."""
    call = call or (lambda module, *inputs: module(*inputs))
    with torch.no_grad():
        for name, parameter in names(module).items():
            scale = 1.0 if "norm" in case else 0.6
            parameter.copy_(scale * random(*parameter.shape))
            if name.endswith("norm1.weight") or name.endswith("norm2.weight") or name.endswith("norm3.weight"):
                parameter.add_(1)

    def run(dtype, output_gradient=None):
        local = module.to(dtype)
        local.zero_grad()
        given = {
            n: x.detach().to(dtype).clone().requires_grad_() if x.is_floating_point() else x for n, x in inputs.items()
        }
        output = call(local, *given.values())
        if output_gradient is None:
            output_gradient = random(*output.shape)
        output.backward(output_gradient.to(dtype))
        results = {"output": output}
        results |= {f"parameters.{n}": p.grad for n, p in names(local).items()}
        results |= {f"inputs.{n}": x.grad for n, x in given.items() if x.is_floating_point()}
        if weights:
            results["weights_averaged"] = weights(local, True, *given.values())
            results["weights"] = weights(local, False, *given.values())
        return {n: r.detach().double().clone() for n, r in results.items()}, output_gradient

    for name, parameter in names(module).items():
        file[f"{case}.parameters.{name}"] = parameter.detach().clone()
    for name, x in inputs.items():
        file[f"{case}.inputs.{name}"] = x
    single, output_gradient = run(torch.float32)
    double, _ = run(torch.float64, output_gradient)
    file[f"{case}.output_gradient"] = output_gradient
    for name, result in double.items():
        file[f"{case}.results.{name}"] = result
        file[f"{case}.float32_error.{name}"] = (single[name] - result).abs().max().reshape(1)


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def half_split(x, offset=0):
    """Hugging Face's: x·cos + rotate_half(x)·sin."""
    d = x.shape[-1]
    inverse = 1 / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)
    angles = torch.outer(torch.arange(x.shape[-2], dtype=torch.float64) + offset, inverse)
    angles = torch.cat((angles, angles), dim=-1)
    rotated = torch.cat((-x[..., d // 2 :], x[..., : d // 2]), dim=-1)
    return x * angles.cos().to(x.dtype) + rotated * angles.sin().to(x.dtype)


def interleaved(x, offset=0):
    """The paper's: neighbours are one complex number, multiplied by e^(i·angle)."""
    d = x.shape[-1]
    inverse = 1 / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)
    angles = torch.outer(torch.arange(x.shape[-2], dtype=torch.float64) + offset, inverse)
    turns = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(-2).to(x.dtype)


def affine(p, name, x):
    return nn.functional.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))


record("linear", nn.Linear(E, F), {"x": random(B, SQ, E)})
record("linear_plain", nn.Linear(E, F, bias=False), {"x": random(SQ, E)})
record("layer_norm", nn.LayerNorm(E, eps=1e-3), {"x": random(B, SQ, E) + 3})
record("layer_norm_unaffine", nn.LayerNorm(E, elementwise_affine=False), {"x": random(B, SQ, E)})
record("embedding", nn.Embedding(6, E, padding_idx=2), {"tokens": torch.tensor([[0, 2, 5], [5, 5, 1]])})

for name, activation in [
    ("relu", nn.functional.relu),
    ("gelu", nn.functional.gelu),
    ("gelu_tanh", lambda x: nn.functional.gelu(x, approximate="tanh")),
]:
    shapes = {"linear1.weight": (F, E), "linear1.bias": (F,), "linear2.weight": (E, F), "linear2.bias": (E,)}
    module = Composed(shapes, lambda p, x, f=activation: affine(p, "linear2", f(affine(p, "linear1", x))))
    record(f"feed_forward_{name}", module, {"x": random(B, SQ, E)})

record("rotary_half_split", Composed({}, lambda p, x: half_split(x, offset=3)), {"x": random(B, H, SQ, E)})
record("rotary_interleaved", Composed({}, lambda p, x: interleaved(x, offset=3)), {"x": random(B, H, SQ, E)})

# torch's masks: True = ignore
padding = torch.tensor([[False] * SK, [False] * 3 + [True] * (SK - 3)])
causal = torch.ones(SQ, SQ, dtype=torch.bool).triu(1)
forbidden = torch.tensor([[(3 * i + 2 * j) % 5 == 0 for j in range(SK)] for i in range(SQ)])


def record_heads(case, module, inputs, **masks):
    def forward(module, query, key, value):
        return module(query, key, value, need_weights=False, **masks)[0]

    def weights(module, averaged, query, key, value):
        return module(query, key, value, need_weights=True, average_attn_weights=averaged, **masks)[1]

    record(case, module, inputs, forward, weights)


def qkv(kdim=E, vdim=E, keys=SK):
    return {"query": random(B, SQ, E), "key": random(B, keys, kdim), "value": random(B, keys, vdim)}


record_heads("heads", nn.MultiheadAttention(E, H, batch_first=True), qkv())
record_heads("heads_causal", nn.MultiheadAttention(E, H, batch_first=True), qkv(keys=SQ), attn_mask=causal)
record_heads("heads_padding", nn.MultiheadAttention(E, H, batch_first=True), qkv(), key_padding_mask=padding)
record_heads("heads_mask", nn.MultiheadAttention(E, H, batch_first=True), qkv(), attn_mask=forbidden)
record_heads(
    "heads_dimensions", nn.MultiheadAttention(E, H, kdim=6, vdim=10, bias=False, batch_first=True), qkv(6, 10)
)
record_heads(
    "heads_extra",
    nn.MultiheadAttention(E, H, add_bias_kv=True, add_zero_attn=True, batch_first=True),
    qkv(),
    key_padding_mask=padding,
    attn_mask=forbidden,
)
record_heads(
    "heads_extra_causal",
    nn.MultiheadAttention(E, H, kdim=6, vdim=10, add_bias_kv=True, batch_first=True),
    qkv(6, 10, SQ),
    attn_mask=causal,
)


def composed_heads(count, key_heads, turn):
    def function(p, query, key, value):
        q = turn(heads(affine(p, "query_proj", query), count))
        k = turn(heads(affine(p, "key_proj", key), key_heads))
        v = heads(affine(p, "value_proj", value), key_heads)
        o = scaled_dot_product_attention(q, k, v, enable_gqa=True)
        return affine(p, "out_proj", o.transpose(1, 2).flatten(-2))

    shapes = {}
    for name, outputs in [("query", E), ("key", E * key_heads // count), ("value", E * key_heads // count), ("out", E)]:
        shapes |= {f"{name}_proj.weight": (outputs, E), f"{name}_proj.bias": (outputs,)}
    return Composed(shapes, function)


record("heads_grouped", composed_heads(4, 2, lambda x: x), qkv())
record("heads_rotary_half_split", composed_heads(2, 2, half_split), qkv())
record("heads_rotary_interleaved", composed_heads(2, 1, interleaved), qkv())


def single(p, x, context):
    q, k, v = affine(p, "query_proj", x), affine(p, "key_proj", context), affine(p, "value_proj", context)
    return torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1) @ v


projections = {"query_proj.weight": (6, E), "key_proj.weight": (6, E), "value_proj.weight": (10, E)}
record("self_attention", Composed(projections, lambda p, x: single(p, x, x)), {"x": random(B, SQ, E)})
record("self_attention_unbatched", Composed(projections, lambda p, x: single(p, x, x)), {"x": random(SQ, E)})
projections |= {"key_proj.weight": (6, 7), "value_proj.weight": (10, 7)}
record("cross_attention", Composed(projections, single), {"x": random(B, SQ, E), "context": random(B, SK, 7)})

for name, first in [("post", False), ("pre", True)]:
    record(
        f"encoder_{name}",
        nn.TransformerEncoderLayer(E, H, F, dropout=0, activation="gelu", norm_first=first, batch_first=True),
        {"x": random(B, SK, E)},
        lambda module, x: module(x, src_key_padding_mask=padding),
    )
    record(
        f"decoder_{name}",
        nn.TransformerDecoderLayer(E, H, F, dropout=0, activation="relu", norm_first=first, batch_first=True),
        {"x": random(B, SQ, E), "memory": random(B, SK, E)},
        lambda module, x, memory: module(x, memory, tgt_mask=causal, memory_key_padding_mask=padding),
    )

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
metadata = {"torch": torch.__version__, "python": platform.python_version()}
header, data = {"__metadata__": metadata}, bytearray()
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
with open(sys.argv[1] if len(sys.argv) > 1 else "transformer-layers.safetensors", "wb") as output:
    output.write(struct.pack("<Q", len(text)) + text + data)
