"""The suite `training`: a translator's epoch here and in PyTorch."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import machine
import table as tables
from processes import WorkerFailed
from training import agreement, sentences, text
from training.forms import COMPARED_TINY, FORMS, TIMED, TINY, TURN, Form, Sizes
from training.report import report
from training.turns import Result, measure
from training.workers import Files, Pair


@dataclass(frozen=True)
class Options:
    build: str
    trainer: pathlib.Path  # attention-benchmarks
    pairs: pathlib.Path | None
    forms: list[Form]
    threads: list[int]
    seconds: float | None  # an epoch's budget
    isa: str | None
    peer_isa: str | None

    def start(self, threads: int) -> Pair:
        """Raises WorkerFailed."""
        pair = Pair(self.trainer, self.build, threads, self.isa, self.peer_isa is not None)
        if pair.failure:
            pair.close()
            raise WorkerFailed(pair.failure)
        return pair


@dataclass
class Outcome:
    """What a run came to."""

    text: str
    json: str
    failed: bool


def run(options: Options) -> Outcome:
    """Measures. Raises WorkerFailed."""
    results: list[Result] = []
    systems: dict[str, dict[str, str]] = {}
    measured = machine.measure(machine.Limits(options.build), options.threads)
    with _files(options.pairs) as files:
        for threads in options.threads:
            pair = options.start(threads)
            try:
                systems = {worker.system: worker.description or {} for worker in pair.workers}
                for form in options.forms:
                    label = f"{form.name}, {threads} thr"
                    results.append(
                        measure(pair, threads, form, Sizes(), files, options.seconds, lambda *at: _show(label, *at))
                    )
            finally:
                pair.close()
                _show("")
    settings = {
        "pairs": options.pairs.name if options.pairs else "made up",
        "sizes": dataclasses.asdict(Sizes()),
        "training": dataclasses.asdict(TIMED),
        "batch": 64,
        "batchesOfATurn": TURN,
        "threads": options.threads,
        "seconds": options.seconds,
        "isa": systems["ours"]["isa"],
        "peerIsa": options.peer_isa,
    }
    lines = [
        tables.processor(measured),
        f"threads {', '.join(map(str, options.threads))}; turns of {TURN} batches of 64 pairs"
        + (f", at most {options.seconds:g} s an epoch" if options.seconds is not None else ", one epoch"),
        f"pairs: {settings['pairs']}; {_sizes(results[0].agreement.opened)}",
        *tables.peer_limit(options.peer_isa),
        *tables.description(systems),
        *tables.limits(measured),
    ]
    body = "\n".join(lines) + f"\n\n{text.table(results)}\n\n{text.notes(results)}\n"
    data = json.dumps(report(results, measured, systems, settings), indent=1, sort_keys=True) + "\n"
    return Outcome(body, data, any(result.agreement.problem for result in results))


def self_test(options: Options) -> tuple[int, int]:
    """Whether both train the same at a tiny size: how many forms agreed, and how many did not."""
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        files = Files(pathlib.Path(folder) / "pairs.tsv", pathlib.Path(folder))
        sentences.write(files.pairs, pairs=900, types=(200, 300))
        pair = options.start(max(options.threads))
        try:
            for form in FORMS:
                found = agreement.check(pair, form, TINY, files, COMPARED_TINY)
                if found.problem:
                    failed += 1
                    print(f"FAILED training {form.name}: {found.problem}")
                else:
                    passed += 1
                    largest, last = max(found.largest_differences.values()), found.tolerances[-1]
                    print(f"ok training {form.name}: {largest:.1e} (allowed {last:.1e} at the last step)")
        finally:
            pair.close()
    return passed, failed


def _sizes(opened: dict[str, Any]) -> str:
    return (
        f"{opened['pairs']:,} to train on, {opened['tokens']:,} target tokens, vocabularies of "
        f"{opened['sourceVocabulary']:,} and {opened['targetVocabulary']:,}"
    )


def _show(label: str, done: int = 0, of: int = 0) -> None:
    if sys.stderr.isatty():
        line = f"{label}, {min(done, of)} of {of} batches" if label else ""
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _files(pairs: pathlib.Path | None) -> Iterator[Files]:
    """Made-up sentences where there are no pairs."""
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder) / "pairs.tsv"
        if pairs is None:
            sentences.write(made)
        yield Files(pairs.resolve() if pairs else made, pathlib.Path(folder))
