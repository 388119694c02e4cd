"""An epoch in turns: some batches by ours, the same ones by PyTorch, then the next ones.

Ratios are taken within a turn, so that drift of the machine hits both alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from interleave import Summary, summarise
from processes import ForeignLoad, settle
from training.agreement import Agreement, check
from training.forms import COMPARED, TIMED, TURN, Form, Sizes
from training.workers import OURS, TORCH, Files, Pair, Turn, train


@dataclass
class Result:
    """A form with one number of threads."""

    form: Form
    threads: int
    agreement: Agreement
    turns: dict[str, list[Turn]]  # by system; none where they disagree
    batches: int  # of the epoch
    foreign: float = 0.0  # part of the cores' time that other processes took
    steal: float = 0.0
    unsettled: int = 0  # turns begun while the other system's threads were still running

    @property
    def batches_done(self) -> int:
        return sum(len(turn.losses) for turn in self.turns[OURS])

    @property
    def tokens_done(self) -> int:
        return sum(turn.tokens for turn in self.turns[OURS])

    def speed(self, system: str) -> Summary:
        """Target tokens a second of the turns."""
        return summarise([turn.tokens / turn.seconds for turn in self.turns[system]])

    def overall(self, system: str) -> float:
        """Target tokens a second of all turns together."""
        return sum(turn.tokens for turn in self.turns[system]) / sum(turn.seconds for turn in self.turns[system])

    @property
    def ratio(self) -> Summary:
        """PyTorch's time over ours of the turns."""
        pairs = zip(self.turns[TORCH], self.turns[OURS], strict=True)
        return summarise([torch.seconds / ours.seconds for torch, ours in pairs])

    @property
    def processor_ratio(self) -> float:
        """PyTorch's processor time over ours, of all turns; 0 where the system does not say."""
        torch, ours = (sum(turn.processor for turn in self.turns[system]) for system in (TORCH, OURS))
        return torch / ours if ours else 0.0

    def mean_loss(self, system: str) -> float:
        """Per target token of all turns: with dropout, whose choices differ between the systems."""
        turns = self.turns[system]
        return sum(turn.tokens * sum(turn.losses) / len(turn.losses) for turn in turns) / sum(t.tokens for t in turns)


def measure(
    pair: Pair,
    threads: int,
    form: Form,
    sizes: Sizes,
    files: Files,
    seconds: float | None,
    progress: Callable[[int, int], None],
) -> Result:
    """Checks that both train the same, then takes an epoch's turns, or as many as begin within the seconds. Raises
    WorkerFailed."""
    agreement = check(pair, form, sizes, files, COMPARED)
    batches = agreement.opened["batches"]
    result = Result(form, threads, agreement, {OURS: [], TORCH: []}, batches)
    if agreement.problem:
        return result
    pair.open_ours(form, sizes, files, TIMED)
    pair.open_torch(files, TIMED)
    load = ForeignLoad(pair.workers)
    begun = time.monotonic()
    for first in range(0, batches, TURN):
        if seconds is not None and first >= 3 * TURN and time.monotonic() - begun > seconds:
            break
        for worker in pair.workers if first // TURN % 2 == 0 else reversed(pair.workers):
            result.unsettled += not settle(pair.workers)
            result.turns[worker.system].append(train(worker, min(TURN, batches - first)))
        progress(first + TURN, batches)
    result.foreign, result.steal = load.parts()
    return result
