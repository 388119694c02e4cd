"""Made-up sentence pairs with the lengths and frequencies of a real corpus, for those who have none.

Fitted to 28,000 Chinese-English pairs of Tatoeba, whose sources are taken as characters and targets as words: lengths
are log-normal (means 9.7 and 7.5, 95 % up to 16 and 12) with a correlation of 0.75, tokens follow Mandelbrot's
p(rank) ~ (rank + 8)^-a with a of 1.25 and 1.4 over 2,500 and 6,000 types. They mean nothing: speeds are those of real
sentences, losses are not.
"""

from __future__ import annotations

import pathlib

import numpy as np

PAIRS = 27_955


def write(path: pathlib.Path, pairs: int = PAIRS, types: tuple[int, int] = (2500, 6000), seed: int = 20240607) -> None:
    """Lines of target, tab, source."""
    random = np.random.default_rng(seed)
    shared, own = random.standard_normal((2, pairs))
    source_lengths = _lengths(9.155, 0.343, shared)
    target_lengths = _lengths(7.15, 0.310, 0.75 * shared + (1 - 0.75**2) ** 0.5 * own)
    sources = np.split(_tokens(random, types[0], 1.25, source_lengths.sum()), source_lengths.cumsum()[:-1])
    targets = np.split(_tokens(random, types[1], 1.4, target_lengths.sum()), target_lengths.cumsum()[:-1])
    lines = (
        " ".join(map(_word, target)) + "\t" + "".join(chr(0x4E00 + rank) for rank in source) + "\n"
        for source, target in zip(sources, targets, strict=True)
    )
    path.write_text("".join(lines), encoding="utf-8")


def _lengths(median: float, deviation: float, normal: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(median * np.exp(deviation * normal)), 2, 44).astype(int)


def _tokens(random: np.random.Generator, types: int, exponent: float, count: int) -> np.ndarray:
    weights = (np.arange(1, types + 1) + 8.0) ** -exponent
    return random.choice(types, size=count, p=weights / weights.sum())


def _word(rank: int) -> str:
    """Letters alone, another word for each rank."""
    letters = ""
    while True:
        letters = chr(ord("a") + rank % 26) + letters
        rank = rank // 26 - 1
        if rank < 0:
            return letters
