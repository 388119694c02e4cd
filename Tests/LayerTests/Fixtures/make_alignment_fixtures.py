"""Records what the layers of additive, multiplicative, cosine, hard, local and monotonic attention give, from primitives
of PyTorch in float64, and their gradients by autograd.

    python make_alignment_fixtures.py     # writes alignment-layers.safetensors beside itself

Inputs and parameters are numbers that float32 holds exactly. Every case has tensors CASE/NAME: parameters, queries,
keys, values (absent where the keys serve as values), context_gradient, and the results context, weights and
NAME_gradient of every parameter and input.
"""

import json
import pathlib
import struct

import torch

torch.manual_seed(20)
B, TQ, TK, HQ, HK, A, DV = 3, 4, 7, 6, 5, 8, 9
LENGTHS = [7, 4, 1]
tensors = {}


def draw(*shape):
    return torch.randn(*shape, dtype=torch.float32).to(torch.float64)


def key_mask(lengths):
    return (torch.arange(TK)[None] < torch.tensor(lengths)[:, None])[:, None, :]


def softmax(scores, visible):
    return torch.softmax(scores.masked_fill(~visible, -torch.inf), -1)


def additive(q, k, Wq, Wk, v, b=0.0):
    return torch.tanh((q @ Wq.T + b)[:, :, None] + (k @ Wk.T)[:, None]) @ v


def general(q, k, W):
    return q @ W @ k.transpose(1, 2)


def additive_magnitude(p, q):
    W_q, W_k = p.get("query_weight"), p.get("key_weight", p.get("query_weight"))
    if "weight" in p:
        W_q, W_k = p["weight"][:, : q.shape[-1]], p["weight"][:, q.shape[-1] :]
    a, b = q.abs() @ W_q.T.abs(), p["keys"].abs() @ W_k.T.abs()
    if "bias" in p:
        a = a + p["bias"].abs()
    return (a[:, :, None] + b[:, None]) @ p["vector"].abs()


def product_magnitude(p, q):
    return general(q.abs(), p["keys"].abs(), p["weight"].abs() if "weight" in p else torch.eye(HK, dtype=torch.float64))


def record(name, leaves, weigh, magnitude, one_query=False, lengths=None, extra={}):
    """weigh(leaves by name, queries, visible) -> weights [B, TQ, TK]; magnitude(leaves, queries) -> [B, TQ, TK]."""
    leaves = {key: value.requires_grad_() for key, value in leaves.items()}
    q, k = leaves["queries"], leaves["keys"]
    values = leaves.get("values", k)
    visible = key_mask(lengths or [TK] * B)
    weights = weigh(leaves, q[:, None] if one_query else q, visible)
    context = weights @ values
    if one_query:
        weights, context = weights[:, 0], context[:, 0]
    gradient = draw(*context.shape)
    gradients = torch.autograd.grad(context, list(leaves.values()), gradient, allow_unused=True)
    case = dict(leaves, context=context, weights=weights, context_gradient=gradient, **extra)
    case["score_magnitude"] = magnitude(leaves, q[:, None] if one_query else q).max()
    if lengths:
        case["lengths"] = torch.tensor(lengths)
    for key, g in zip(leaves, gradients):
        case[key + "_gradient"] = torch.zeros_like(leaves[key]) if g is None else g
    for key, value in case.items():
        tensors[f"{name}/{key}"] = value.detach()


def inputs(hq=HQ, hk=HK, one_query=False, values=True):
    made = {"queries": draw(B, hq) if one_query else draw(B, TQ, hq), "keys": draw(B, TK, hk)}
    return dict(made, values=draw(B, TK, DV)) if values else made


# Bahdanau et al. 2015
def bahdanau(p, q, visible):
    return softmax(additive(q, p["keys"], p["query_weight"], p["key_weight"], p["vector"], p["bias"]), visible)


def shared(p, q, visible):
    return softmax(additive(q, p["keys"], p["query_weight"], p["query_weight"], p["vector"]), visible)


def parameters(shares=False):
    if shares:
        return dict(query_weight=draw(A, HK), vector=draw(A))
    return dict(query_weight=draw(A, HQ), key_weight=draw(A, HK), bias=draw(A), vector=draw(A))


record("additive", parameters() | inputs(), bahdanau, additive_magnitude, lengths=LENGTHS)
record("additive_one_query", parameters() | inputs(one_query=True, values=False), bahdanau,
       additive_magnitude, True, LENGTHS)
record("additive_shared", parameters(True) | inputs(HK, values=False), shared, additive_magnitude)


# Luong et al. 2015
def dot(p, q, visible):
    return softmax(q @ p["keys"].transpose(1, 2), visible)


def concat_score(p, q):
    joined = torch.cat([q[:, :, None].expand(-1, -1, TK, -1), p["keys"][:, None].expand(-1, q.shape[1], -1, -1)], -1)
    return torch.tanh(joined @ p["weight"].T) @ p["vector"]


record("dot", inputs(HK), dot, product_magnitude, lengths=LENGTHS)
record("dot_one_query", inputs(HK, one_query=True, values=False), dot, product_magnitude, True)
record("scaled_dot", inputs(HK), lambda p, q, m: softmax(q @ p["keys"].transpose(1, 2) / HK**0.5, m),
       product_magnitude, lengths=LENGTHS)
record("general", dict(weight=draw(HQ, HK)) | inputs(), lambda p, q, m: softmax(general(q, p["keys"], p["weight"]), m),
       product_magnitude, lengths=LENGTHS)
record("concat", dict(weight=draw(A, HQ + HK), vector=draw(A)) | inputs(),
       lambda p, q, m: softmax(concat_score(p, q), m), additive_magnitude, lengths=LENGTHS)


# Graves et al. 2014
def cosine(p, q, visible):
    normal = torch.nn.functional.normalize
    return softmax(normal(q, dim=-1) @ normal(p["keys"], dim=-1).transpose(1, 2) / p["temperature"], visible)


record("cosine", dict(temperature=torch.tensor(0.25, dtype=torch.float64)) | inputs(HK), cosine,
       lambda p, q: torch.tensor(HK / 0.25), lengths=LENGTHS)


# Hard: the arg-max of general scores; the gradient reaches the values alone.
def hard(p, q, visible):
    soft = softmax(general(q, p["keys"], p["weight"]), visible)
    return torch.nn.functional.one_hot(soft.argmax(-1), TK).to(torch.float64)


record("hard", dict(weight=draw(HQ, HK)) | inputs(), hard, product_magnitude, lengths=LENGTHS)

# Local: Luong et al. 2015, section 3.2
D = 2
positions = torch.tensor([[0, 3, 6, 2], [1, 1, 0, 3], [0, 0, 1, 2]])


def local_m(p, q, visible):
    near = (torch.arange(TK)[None, None] - positions[:, :, None]).abs() <= D
    return softmax(general(q, p["keys"], p["weight"]), visible & near)


def local_p(lengths, score):
    def weigh(p, q, visible):
        lengths_ = torch.tensor(lengths, dtype=torch.float64)[:, None]
        centre = lengths_ * torch.sigmoid(torch.tanh(q @ p["position_weight"].T) @ p["position_vector"])
        distance = torch.arange(TK, dtype=torch.float64)[None, None] - centre[..., None]
        seen = visible & (distance.abs() <= D)
        assert seen.any(-1).all()
        assert ((distance.detach().abs() - D).abs() > 1e-3).all(), "a key at the window's edge: choose another seed"
        return softmax(score(p, q), seen) * torch.exp(-(distance**2) / (2 * (D / 2) ** 2))

    return weigh


predicted = dict(position_weight=draw(A, HQ), position_vector=draw(A))
record("local_m", dict(weight=draw(HQ, HK)) | inputs(), local_m, product_magnitude, lengths=[7, 4, 3],
       extra=dict(positions=positions))
record("local_p", predicted | dict(weight=draw(HQ, HK)) | inputs(),
       local_p([7, 4, 3], lambda p, q: general(q, p["keys"], p["weight"])), product_magnitude, lengths=[7, 4, 3])
record("local_p_concat",
       dict(position_weight=draw(A, HQ), position_vector=draw(A), weight=draw(A, HQ + HK), vector=draw(A))
       | inputs(one_query=True, values=False), local_p([TK] * B, concat_score),
       additive_magnitude, True)


# Raffel et al. 2017, equations 6 to 8 as written: not by the recurrence.
def monotonic(p, q, visible):
    stop = torch.sigmoid(general(q, p["keys"], p["weight"]) + p["offset"]).masked_fill(~visible, 0)
    weights, before = [], torch.eye(TK, dtype=torch.float64)[0].expand(B, TK)
    for i in range(TQ):
        passed = 1 - stop[:, i]
        before = torch.stack([stop[:, i, j] * sum(before[:, k] * passed[:, k:j].prod(-1) for k in range(j + 1))
                              for j in range(TK)], -1)
        weights.append(before)
    return torch.stack(weights, 1)


# A weight is a product of as many probabilities as there are steps, each with its score's error.
record("monotonic", dict(weight=0.5 * draw(HQ, HK), offset=torch.tensor(-0.5, dtype=torch.float64)) | inputs(),
       monotonic, lambda p, q: (TQ + TK) * product_magnitude(p, q), lengths=LENGTHS)

header, data = {}, b""
for name, tensor in tensors.items():
    integers = not tensor.dtype.is_floating_point
    raw = struct.pack(f"<{tensor.numel()}{'q' if integers else 'd'}", *tensor.flatten().tolist())
    header[name] = dict(dtype="I64" if integers else "F64", shape=list(tensor.shape),
                        data_offsets=[len(data), len(data) + len(raw)])
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
path = pathlib.Path(__file__).with_name("alignment-layers.safetensors")
path.write_bytes(struct.pack("<Q", len(text)) + text + data)
