#!/usr/bin/env python3
"""Cuts minilm.safetensors from the attention inputs of a whole layer.

    python make_minilm.py LAYER.safetensors [minilm.safetensors]

LAYER.safetensors holds what one layer of all-MiniLM-L6-v2 attends with on four texts: `query`, `key`, `value`
[4, 12, 222, 32] F32, `key_mask` [4, 222] U8, and the result `output` [4, 12, 222, 32], `lse` [4, 12, 222] F64. The
first two texts and heads 0 and 5 are kept. Needs Python 3.9 and nothing else.
"""

import json
import struct
import sys

TEXTS, HEADS = [0, 1], [0, 5]
BYTES = {"F64": 8, "F32": 4, "U8": 1}


def read_safetensors(path):
    """({name: (type, shape, bytes)}, metadata): a little-endian header length, a JSON header, the tensors' bytes."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, body = json.loads(file.read(length)), file.read()
    metadata = header.pop("__metadata__")
    tensors = {name: (t["dtype"], t["shape"], body[slice(*t["data_offsets"])]) for name, t in header.items()}
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    """The same the other way. The widest types come first, so that every tensor is aligned."""
    header, body = {"__metadata__": metadata}, b""
    for name, (dtype, shape, raw) in sorted(tensors.items(), key=lambda item: (-BYTES[item[1][0]], item[0])):
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def take(raw, count, kept):
    """The kept ones of `count` equal parts."""
    size = len(raw) // count
    return [raw[i * size:(i + 1) * size] for i in kept]


def cut(name, dtype, shape, raw):
    texts = take(raw, shape[0], TEXTS)
    if name == "key_mask":
        return dtype, [len(TEXTS), *shape[1:]], b"".join(texts)
    heads = [part for text in texts for part in take(text, shape[1], HEADS)]
    return dtype, [len(TEXTS), len(HEADS), *shape[2:]], b"".join(heads)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    tensors, metadata = read_safetensors(sys.argv[1])
    kept = {name: cut(name, *tensors[name]) for name in ("query", "key", "value", "key_mask", "output", "lse")}
    metadata = {
        "tokens": json.dumps([json.loads(metadata["tokens"])[text] for text in TEXTS], ensure_ascii=False),
        "layout": "batch, heads, sequence, head dimension",
        "key_mask": "1 = attend, 0 = padding",
        "output": "float64, scale 1/sqrt(32)",
        "source": f"{metadata['source']}, heads {HEADS[0]} and {HEADS[1]}",
        "license": "Apache-2.0",
        "url": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
    }
    path = sys.argv[2] if len(sys.argv) == 3 else "minilm.safetensors"
    write_safetensors(path, kept, metadata)
    for name, (dtype, shape, _) in kept.items():
        print(f"{name:9} {dtype:3} {shape}")


if __name__ == "__main__":
    main()
