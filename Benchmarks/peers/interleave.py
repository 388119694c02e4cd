"""Takes turns: in every round each system and thread count gives one sample of a case, then the next round begins.

Ratios and shares are taken within a round and summarised afterwards, so that drift of the clock or of the machine's
load hits both sides alike.
"""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inputs import tolerance
from machine import Limits
from processes import ForeignLoad, Worker, WorkerFailed, settle
from shapes import Case

OURS = "ours"
BASE = "base"  # ours, on the case's base


@dataclass(frozen=True)
class Settings:
    threads: list[int]
    repeats: int = 7
    seconds: float | None = None  # a case's budget, without the rounds that are taken again; at least 3 are
    sample_seconds: float = 0.1


@dataclass
class Summary:
    median: float
    lowerQuartile: float
    upperQuartile: float
    minimum: float
    maximum: float
    samples: list[float]


def summarise(samples: list[float]) -> Summary:
    lower, median, upper = (float(x) for x in np.quantile(samples, [0.25, 0.5, 0.75]))
    return Summary(median, lower, upper, min(samples), max(samples), samples)


@dataclass
class Row:
    """A case with one number of threads. Keys of the dictionaries are systems."""

    case: Case
    threads: int
    seconds: dict[str, Summary]  # of a call
    calls: dict[str, int]  # in a sample
    peak: Summary | None = None  # FLOP/s of the instruction set that ours ran on, right after its samples
    share: Summary | None = None
    ratios: dict[str, Summary] = field(default_factory=dict)  # a system's time over ours
    scaling: Summary | None = None  # one thread's time over this one's
    base: Summary | None = None  # the base case's time over this one's

    @property
    def best(self) -> tuple[str, Summary] | None:
        """The fastest other system."""
        if not self.ratios:
            return None
        name = min(self.ratios, key=lambda system: self.seconds[system].median)
        return name, self.ratios[name]


@dataclass
class CaseResult:
    case: Case
    rows: list[Row]
    differences: dict[str, float]  # largest |system - ours| over the largest |ours|, of all outputs
    tolerance: float
    unsupported: dict[str, str]
    failed: dict[str, str]  # did not run, or disagrees with ours
    foreign: float = 0.0  # part of the cores' time that other processes took, in the worst round
    steal: float = 0.0
    repeated: int = 0  # rounds left out, since other processes or a hypervisor took too much of the cores' time
    unsettled: int = 0  # samples begun while another system's threads were still running


def measure(case: Case, workers: list[Worker], limits: Limits, isa: str, settings: Settings) -> CaseResult:
    """Checks that all agree, then takes the rounds. Raises WorkerFailed when ours fails."""
    result = CaseResult(case, [], {}, tolerance(case), {}, {})
    threads = [max(settings.threads)] if case.all_threads_only else settings.threads
    able = _prepare(case, workers, threads, result)
    try:
        _compare(case, able, threads, result)
        able = [worker for worker in able if worker.system not in result.failed]
        _rounds(case, able, workers, threads, limits, isa, settings, result)
    finally:
        _drop(workers)
    return result


def check(case: Case, workers: list[Worker], threads: int) -> CaseResult:
    """Only whether all agree."""
    result = CaseResult(case, [], {}, tolerance(case), {}, {})
    _compare(case, _prepare(case, workers, [threads], result), [threads], result)
    _drop(workers)
    return result


def _drop(workers: list[Worker]) -> None:
    """Frees the case's arrays. A worker that is found dead is left out from then on."""
    for worker in workers:
        if worker.failure is None:
            try:
                worker.ask("drop")
            except WorkerFailed as failure:
                worker.failure = str(failure)


def _prepare(case: Case, workers: list[Worker], threads: list[int], result: CaseResult) -> list[Worker]:
    able = []
    for worker in workers:
        if worker.failure:
            result.failed[worker.system] = worker.failure
            continue
        try:
            for count in threads:
                answer = worker.ask("prepare", key=f"case {count}", case=_fields(case), threads=count)
                if "unsupported" in answer:
                    result.unsupported[worker.system] = answer["unsupported"]
                    break
                if case.base and worker.system == OURS:
                    worker.ask("prepare", key=f"base {count}", case=_fields(case.base), threads=count)
            else:
                able.append(worker)
        except WorkerFailed as failure:
            if worker.system == OURS:
                raise
            result.failed[worker.system] = str(failure)
    return able


def _fields(case: Case) -> dict[str, Any]:
    return dataclasses.asdict(dataclasses.replace(case, base=None))


def _compare(case: Case, able: list[Worker], threads: list[int], result: CaseResult) -> None:
    """Every thread count's output of every system against ours on one thread count."""
    with tempfile.TemporaryDirectory() as folder:
        reference: dict[str, Any] | None = None
        for worker in able:
            for count in threads:
                file = pathlib.Path(folder) / "outputs.npz"
                try:
                    worker.ask("run", key=f"case {count}", file=str(file))
                except WorkerFailed as failure:
                    if worker.system == OURS:
                        raise
                    result.failed[worker.system] = str(failure)
                    break
                with np.load(file) as loaded:
                    outputs = dict(loaded)
                if reference is None:
                    reference = outputs  # ours comes first
                    continue
                difference = max(_difference(outputs[name], expected) for name, expected in reference.items())
                result.differences[worker.system] = max(difference, result.differences.get(worker.system, 0.0))
                if not difference <= result.tolerance:
                    what = f"disagrees by {difference:.1e} of the largest element, beyond {result.tolerance:.1e}"
                    result.failed[worker.system] = what
                    break


def _difference(given: Any, expected: Any) -> float:
    if given.shape != expected.shape or not np.isfinite(given).all():
        return float("inf")
    largest = float(np.abs(expected).max()) or 1.0
    return float(np.abs(given.astype(np.float64) - expected).max()) / largest


def _rounds(
    case: Case,
    able: list[Worker],
    workers: list[Worker],
    threads: list[int],
    limits: Limits,
    isa: str,
    settings: Settings,
    result: CaseResult,
) -> None:
    alive = [worker for worker in workers if worker.failure is None]
    turns = []
    for count in threads:
        for worker in able:
            turns.append(_Turn(worker.system, worker, count, f"case {count}"))
            if worker.system == OURS and case.base:
                turns.append(_Turn(BASE, worker, count, f"base {count}"))
    for turn in turns:
        settle(alive)
        turn.calls = turn.worker.ask("calibrate", key=turn.key, seconds=settings.sample_seconds)["calls"]

    def peak(count: int) -> float | None:
        return limits.peak(isa, 64 if case.type == "float64" else 32, count) if case.flops else None

    rounds = _quiet_rounds(lambda: _take_round(turns, alive, peak, result), settings, result)
    samples = {(turn.name, turn.threads): [r.seconds[turn.name, turn.threads] for r in rounds] for turn in turns}

    def ratio(above: tuple[str, int], below: tuple[str, int]) -> Summary:
        return summarise([a / b for a, b in zip(samples[above], samples[below], strict=True)])

    for count in threads:
        ours = (OURS, count)
        names = [name for name, of in samples if of == count]
        row = Row(
            case,
            count,
            seconds={name: summarise(samples[name, count]) for name in names},
            calls={turn.name: turn.calls for turn in turns if turn.threads == count},
            ratios={name: ratio((name, count), ours) for name in names if name not in (OURS, BASE)},
        )
        peaks = [rate for r in rounds if (rate := r.peaks.get(count))]
        if case.flops and peaks:
            row.peak = summarise(peaks)
            row.share = summarise([case.flops / s / p for s, p in zip(samples[ours], peaks, strict=True)])
        if count > 1 and (OURS, 1) in samples:
            row.scaling = ratio((OURS, 1), ours)
        if case.base:
            row.base = ratio((BASE, count), ours)
        result.rows.append(row)


@dataclass
class _Turn:
    name: str
    worker: Worker
    threads: int
    key: str
    calls: int = 1  # in a sample


@dataclass
class _Round:
    seconds: dict[tuple[str, int], float] = field(default_factory=dict)  # of a call, by name and threads
    peaks: dict[int, float | None] = field(default_factory=dict)
    foreign: float = 0.0
    steal: float = 0.0

    @property
    def disturbance(self) -> float:
        return self.foreign + self.steal


def _take_round(
    turns: list[_Turn], alive: list[Worker], peak: Callable[[int], float | None], result: CaseResult
) -> _Round:
    """A sample of each. The order turns with each round, so that none always follows the same other one."""
    this = _Round()
    turns.reverse()
    load = ForeignLoad(alive)
    for turn in turns:
        result.unsettled += not settle(alive)
        answer = turn.worker.ask("sample", key=turn.key, calls=turn.calls)
        this.seconds[turn.name, turn.threads] = answer["seconds"] / turn.calls
        if turn.name == OURS:
            result.unsettled += not settle(alive)
            this.peaks[turn.threads] = peak(turn.threads)
    this.foreign, this.steal = load.parts()
    return this


# A round during which others took more than this part of the cores' time is taken again, whatever its samples say, for
# up to so many times the rounds, or the seconds, that were asked for.
_QUIET = 0.02
_MOST_TRIES = 4
_FEWEST_ROUNDS = 3


def _quiet_rounds(take: Callable[[], _Round], settings: Settings, result: CaseResult) -> list[_Round]:
    """The undisturbed rounds, and where these are too few, the quietest of the others with them."""
    taken: list[_Round] = []
    quiet = 0
    begun = time.monotonic()
    while quiet < settings.repeats and len(taken) < _MOST_TRIES * settings.repeats:
        taken.append(take())
        quiet += taken[-1].disturbance <= _QUIET
        if settings.seconds is not None and len(taken) >= _FEWEST_ROUNDS:
            ends = (time.monotonic() - begun) * (len(taken) + 1) / len(taken)  # of one round more
            if ends > (1 if quiet >= _FEWEST_ROUNDS else _MOST_TRIES) * settings.seconds:
                break
    limit = sorted(r.disturbance for r in taken)[max(quiet, min(_FEWEST_ROUNDS, len(taken))) - 1]
    rounds = [r for r in taken if r.disturbance <= limit]
    result.repeated = len(taken) - len(rounds)
    result.foreign, result.steal = max(r.foreign for r in rounds), max(r.steal for r in rounds)
    return rounds


def median_rate(row: Row, system: str) -> float | None:
    """GFLOP/s of a system."""
    return row.case.flops / row.seconds[system].median / 1e9 if row.case.flops else None
