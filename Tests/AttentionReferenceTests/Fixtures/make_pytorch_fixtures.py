#!/usr/bin/env python3
"""Records attention and its gradients as PyTorch computes them, in float64, for the tests of the oracle.

    python make_pytorch_fixtures.py [pytorch.safetensors [pytorch-gradients.safetensors]]

Needs torch (CPU is enough) and numpy. Each case is a set of tensors named CASE/NAME. Its inputs and options are
`query`, `key`, `value` and those of `scale`, `softcap`, `causal`, `query_offsets`, `window_left`, `window_right`,
`key_lengths`, `mask`, `bias`, `alibi_slopes`, `sinks` that it uses; its results are `output`, `lse`, `scores` and
`weights`.

Every result is computed twice: composed from matmul, softmax and logsumexp, and by one of PyTorch's own attention
functions (scaled_dot_product_attention, its CPU flash kernel, or flex_attention), whose output and log-sum-exp are the
ones recorded. The script stops where the two disagree. The versions are in the files' metadata.

The second file holds, for the inputs of each case, a random `output_gradient` and what follows from it by autograd:
`query_gradient`, `key_gradient`, `value_gradient` and, where the case has them, `bias_gradient` and `sinks_gradient`.
Autograd goes through PyTorch's own function where that can be differentiated, and must agree with autograd through the
composed one, which is recorded elsewhere (flex_attention has no backward pass on CPUs, the flash kernel none for its
bias).
"""

import json
import math
import platform
import struct
import sys
import warnings

import numpy
import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.attention.flex_attention import AuxRequest, create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention

warnings.filterwarnings("ignore", message=".*flex_attention called without torch.compile.*")
torch.set_num_threads(1)
INFINITY = float("inf")
TOLERANCE = 1e-12  # of two float64 computations of order 1 with at most 11 terms a sum
GRADIENT_TOLERANCE = 1e-11  # the same of products of three of them


def composed(query, key, value, o):
    """Output, log-sum-exp, scores and weights from primitives."""
    batch, heads, queries, dimension = query.shape
    keys = key.shape[2]
    group = heads // key.shape[1]
    key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)

    scores = query @ key.transpose(-2, -1) * o.get("scale", 1 / math.sqrt(dimension))
    if "softcap" in o:
        scores = o["softcap"] * torch.tanh(scores / o["softcap"])
    offsets = torch.tensor(o.get("query_offsets", [0])).expand(batch)
    position = torch.arange(keys) - torch.arange(queries)[:, None] - offsets[:, None, None, None]
    if "bias" in o:
        scores = scores + o["bias"]
    if "alibi_slopes" in o:
        scores = scores - o["alibi_slopes"][:, None, None] * position.abs()
    visible = torch.ones(batch, heads, queries, keys, dtype=torch.bool)
    if "causal" in o:
        visible = visible & (position <= 0)
    if "window_left" in o:
        visible = visible & (position >= -o["window_left"])
    if "window_right" in o:
        visible = visible & (position <= o["window_right"])
    if "key_lengths" in o:
        visible = visible & (torch.arange(keys) < torch.tensor(o["key_lengths"])[:, None, None, None])
    if "mask" in o:
        visible = visible & o["mask"]
    scores = scores.masked_fill(~visible, -INFINITY)

    logits = scores
    if "sinks" in o:
        logits = torch.cat([scores, o["sinks"][:, None, None].expand(batch, heads, queries, 1)], dim=-1)
    empty = ~visible.any(-1, keepdim=True)
    weights = logits.softmax(-1)[..., :keys].masked_fill(empty, 0)
    lse = logits.logsumexp(-1).masked_fill(empty[..., 0], -INFINITY)
    return weights @ value, lse, scores, weights


def by_sdpa(query, key, value, o):
    """scaled_dot_product_attention, with its own causal masks and head groups."""
    queries, keys = query.shape[2], key.shape[2]
    arguments = {"scale": o.get("scale"), "enable_gqa": key.shape[1] != query.shape[1]}
    if "causal" not in o:
        return scaled_dot_product_attention(query, key, value, o.get("mask", o.get("bias")), **arguments), None
    if o.get("query_offsets", [0]) == [0]:
        return scaled_dot_product_attention(query, key, value, is_causal=True, **arguments), None
    assert o["query_offsets"] == [keys - queries]
    return scaled_dot_product_attention(query, key, value, causal_lower_right(queries, keys), **arguments), None


def by_cpu_flash(query, key, value, o):
    """The fused CPU kernel behind scaled_dot_product_attention, which also returns the log-sum-exp."""
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, "causal" in o, attn_mask=o.get("bias"), scale=o.get("scale"))
    return output, lse


def by_flex(query, key, value, o):
    """flex_attention with the options as score and mask functions; sinks are applied from its log-sum-exp."""
    batch, heads, queries, _ = query.shape
    keys = key.shape[2]
    offsets = torch.tensor(o.get("query_offsets", [0])).expand(batch).contiguous()

    def score_mod(score, b, h, i, j):
        if "softcap" in o:
            score = o["softcap"] * torch.tanh(score / o["softcap"])
        if "bias" in o:
            score = score + o["bias"].expand(batch, heads, queries, keys)[b, h, i, j]
        if "alibi_slopes" in o:
            score = score - o["alibi_slopes"][h] * (i + offsets[b] - j).abs()
        return score

    def mask_mod(b, h, i, j):
        visible = j >= 0
        if "causal" in o:
            visible = visible & (j <= i + offsets[b])
        if "window_left" in o:
            visible = visible & (j >= i + offsets[b] - o["window_left"])
        if "window_right" in o:
            visible = visible & (j <= i + offsets[b] + o["window_right"])
        if "key_lengths" in o:
            visible = visible & (j < torch.tensor(o["key_lengths"])[b])
        if "mask" in o:
            visible = visible & o["mask"].expand(batch, heads, queries, keys)[b, h, i, j]
        return visible

    output, auxiliary = flex_attention(
        query, key, value, score_mod=score_mod, scale=o.get("scale"), return_aux=AuxRequest(lse=True),
        block_mask=create_block_mask(mask_mod, batch, heads, queries, keys, device="cpu"),
        enable_gqa=key.shape[1] != heads)
    lse = auxiliary.lse
    if "sinks" in o:
        sinks = o["sinks"][:, None]
        output = output * torch.sigmoid(lse - sinks)[..., None]
        lse = torch.where(lse == -INFINITY, lse, torch.logaddexp(lse, sinks.expand_as(lse)))
    return output, lse


def make_cases():
    """(name, PyTorch's function, [B, H, G, Sq, Sk, D, Dv], options); random options are functions of a generator."""

    def normal(*shape):
        return lambda g: torch.randn(*shape, generator=g, dtype=torch.float64)

    def coin(*shape, p=0.6):
        return lambda g: torch.rand(*shape, generator=g) < p

    def rows_emptied(mask, *rows):
        def make(g):
            emptied = mask(g)
            for row in rows:
                emptied[..., row, :] = False
            return emptied
        return make

    slopes = torch.tensor([2.0**-4, 2.0**-8], dtype=torch.float64)
    return [
        ("plain", by_cpu_flash, [2, 2, 2, 3, 5, 4, 4], {}),
        ("scale", by_cpu_flash, [1, 2, 2, 3, 4, 4, 4], {"scale": -0.7}),
        ("scale_zero", by_sdpa, [1, 1, 1, 2, 5, 3, 3], {"scale": 0.0}),
        ("value_dimension", by_sdpa, [1, 2, 2, 4, 3, 5, 7], {}),
        ("mask", by_sdpa, [2, 2, 2, 4, 5, 3, 3], {"mask": rows_emptied(coin(2, 2, 4, 5), 1)}),
        ("mask_broadcast_keys", by_flex, [2, 2, 2, 3, 6, 4, 4], {"mask": coin(2, 1, 1, 6)}),
        ("mask_rank_2", by_sdpa, [2, 2, 2, 3, 4, 4, 4], {"mask": coin(3, 4, p=0.7)}),
        ("bias", by_sdpa, [2, 2, 2, 3, 4, 4, 4], {"bias": normal(2, 2, 3, 4)}),
        ("bias_broadcast", by_cpu_flash, [2, 2, 2, 3, 4, 4, 4], {"bias": normal(1, 1, 3, 4)}),
        ("causal_top_left_wide", by_cpu_flash, [1, 2, 2, 4, 6, 4, 4], {"causal": True}),
        ("causal_top_left_tall", by_sdpa, [1, 2, 2, 6, 4, 4, 4], {"causal": True}),
        ("causal_bottom_right_wide", by_sdpa, [1, 2, 2, 4, 6, 4, 4], {"causal": True, "query_offsets": [2]}),
        ("causal_bottom_right_tall", by_flex, [1, 2, 2, 6, 4, 4, 4], {"causal": True, "query_offsets": [-2]}),
        ("causal_offset_per_batch", by_flex, [3, 1, 1, 3, 5, 4, 4], {"causal": True, "query_offsets": [1, -2, 4]}),
        ("grouped_heads", by_sdpa, [1, 6, 2, 2, 4, 4, 4], {}),
        ("multi_query_causal", by_flex, [1, 4, 1, 4, 4, 4, 4], {"causal": True}),
        ("softcap", by_flex, [1, 2, 2, 3, 5, 4, 4], {"softcap": 1.5, "scale": 2.0}),
        ("alibi", by_flex, [2, 2, 2, 4, 5, 4, 4], {"alibi_slopes": slopes * 8, "query_offsets": [1, -3]}),
        ("alibi_causal", by_flex, [1, 2, 2, 5, 5, 4, 4], {"alibi_slopes": slopes * 8, "causal": True}),
        ("sinks", by_flex, [2, 3, 3, 3, 4, 4, 4], {"sinks": normal(3)}),
        ("sinks_empty_rows", by_flex, [1, 2, 2, 3, 4, 4, 4],
         {"sinks": normal(2), "mask": rows_emptied(coin(1, 2, 3, 4, p=0.8), 0)}),
        ("window", by_flex, [1, 2, 2, 7, 7, 4, 4], {"window_left": 2, "window_right": 1}),
        ("window_offset_left", by_flex, [2, 1, 1, 4, 8, 4, 4], {"window_left": 1, "query_offsets": [4, -2]}),
        ("window_causal", by_flex, [1, 1, 1, 6, 8, 4, 4], {"window_left": 3, "causal": True, "query_offsets": [2]}),
        ("key_lengths", by_flex, [3, 2, 2, 3, 5, 4, 4], {"key_lengths": [5, 2, 0]}),
        ("everything", by_flex, [3, 2, 1, 5, 9, 5, 3],
         {"scale": 0.9, "softcap": 2.0, "causal": True, "query_offsets": [3, 6, 0], "window_left": 5,
          "key_lengths": [9, 7, 4], "mask": coin(1, 2, 5, 9, p=0.8), "bias": normal(3, 1, 1, 9),
          "alibi_slopes": slopes * 8, "sinks": normal(2)}),
    ]


def compute(name, function, sizes, options, seed):
    batch, heads, key_heads, queries, keys, dimension, value_dimension = sizes
    generator = torch.Generator().manual_seed(seed)
    options = {k: v(generator) if callable(v) else v for k, v in options.items()}
    query = torch.randn(batch, heads, queries, dimension, generator=generator, dtype=torch.float64)
    key = torch.randn(batch, key_heads, keys, dimension, generator=generator, dtype=torch.float64)
    value = torch.randn(batch, key_heads, keys, value_dimension, generator=generator, dtype=torch.float64)

    expected_output, expected_lse, scores, weights = composed(query, key, value, options)
    output, lse = function(query, key, value, options)
    lse = expected_lse if lse is None else lse
    for what, got, expected in [("output", output, expected_output), ("lse", lse, expected_lse)]:
        torch.testing.assert_close(
            got, expected, rtol=TOLERANCE, atol=TOLERANCE, msg=lambda m: f"{name}, {what}: {m}")
    tensors = {"query": query, "key": key, "value": value, "output": output, "lse": lse, "scores": scores,
               "weights": weights}
    return {f"{name}/{k}": v for k, v in (options | tensors).items()}


def gradients_of(function, query, key, value, options, output_gradient):
    """The gradients of the inputs, the bias and the sinks by autograd, or None where the function has none."""
    leaves = {"query": query, "key": key, "value": value}
    leaves |= {name: options[name] for name in ("bias", "sinks") if name in options}
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in leaves.items()}
    if function is by_flex or (function is by_cpu_flash and "bias" in leaves):
        return None
    options = options | {name: leaves[name] for name in ("bias", "sinks") if name in leaves}
    output = function(leaves["query"], leaves["key"], leaves["value"], options)[0]
    gradients = torch.autograd.grad(output, list(leaves.values()), output_gradient)
    return {f"{name}_gradient": gradient for name, gradient in zip(leaves, gradients)}


def differentiate(name, function, tensors, seed):
    """The output gradient and the gradients of a computed case."""
    inputs = {k.removeprefix(f"{name}/"): v for k, v in tensors.items()}
    query, key, value = (inputs[tensor] for tensor in ("query", "key", "value"))
    generator = torch.Generator().manual_seed(seed)
    output_gradient = torch.randn(inputs["output"].shape, generator=generator, dtype=torch.float64)

    expected = gradients_of(composed, query, key, value, inputs, output_gradient)
    gradients = gradients_of(function, query, key, value, inputs, output_gradient) or expected
    for what in expected:
        torch.testing.assert_close(
            gradients[what], expected[what], rtol=GRADIENT_TOLERANCE, atol=GRADIENT_TOLERANCE,
            msg=lambda m: f"{name}, {what}: {m}")
    return {f"{name}/{k}": v for k, v in ({"output_gradient": output_gradient} | gradients).items()}


def as_array(value):
    if isinstance(value, torch.Tensor):
        return value.contiguous().numpy()
    return numpy.asarray(value)


def write_safetensors(path, tensors, metadata):
    """Little-endian header length, JSON header, the tensors' bytes (https://github.com/huggingface/safetensors)."""
    types = {"float64": "F64", "int64": "I64", "bool": "BOOL"}
    header, body = {"__metadata__": metadata}, b""
    for name, value in sorted(tensors.items(), key=lambda item: (-as_array(item[1]).itemsize, item[0])):
        array = as_array(value)
        raw = array.tobytes()
        header[name] = {"dtype": types[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "pytorch.safetensors"
    gradient_path = sys.argv[2] if len(sys.argv) > 2 else "pytorch-gradients.safetensors"
    tensors, gradients = {}, {}
    for seed, (name, function, sizes, options) in enumerate(make_cases(), start=1):
        case = compute(name, function, sizes, options, seed)
        tensors |= case
        gradients |= differentiate(name, function, case, seed=1000 + seed)
    metadata = {"torch": torch.__version__, "numpy": numpy.__version__, "python": platform.python_version()}
    for file, contents in [(path, tensors), (gradient_path, gradients)]:
        write_safetensors(file, contents, metadata)
        print(f"{file}: {len(contents)} tensors, {metadata}")


if __name__ == "__main__":
    main()
