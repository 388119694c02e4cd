"""What is trained: two forms of the translation model, the sizes, and the marks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """A way from concat(context, hidden) to the vocabulary."""

    name: str
    attentional_layer: bool


FORMS = (
    Form("through the attentional layer", True),
    Form("concat(context, hidden) → vocabulary", False),
)


@dataclass(frozen=True)
class Sizes:
    """Of embeddings and hidden states, and the pairs kept from training."""

    embedding: int = 256
    hidden: int = 256
    validation: int = 1000
    test: int = 1000


# Small enough for a check that takes no time.
TINY = Sizes(embedding=24, hidden=20, validation=20, test=20)


@dataclass(frozen=True)
class Training:
    """How."""

    dropout: float = 0.3
    rate: float = 0.001  # of Adam
    clip: float = 1.0  # the norm of all gradients


TIMED = Training()
# A descent all of whose steps are clipped: what differs between two trainings shows in a few losses. A tiny model needs
# a larger rate for that; at the full size such a rate blows roundings up (PyTorch in float32 is off by 4e-5 then).
COMPARED = Training(dropout=0.0, clip=0.1)
COMPARED_TINY = Training(dropout=0.0, clip=0.1, rate=0.01)

# Target tokens a second over PyTorch's: to be reached, and aimed at.
MARK, AIM = 1.5, 2.0
# Batches of a turn: about half a second of ours.
TURN = 8
