"""Measures swift-attention beside other systems: `scripts/peers --help`."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
import time

import interleave
import machine
from chart import chart
from interleave import OURS, CaseResult, Settings
from processes import Worker, WorkerFailed, kernel_worker
from report import report
from shapes import SUITES, cases_of, tiny_cases
from systems import NAMES
from table import heading, notes, table
from training import suite as training
from training.forms import FORMS

TRAINING = "training"
_RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results"


def _numbers(text: str) -> list[int]:
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of positive numbers such as 1,2")
    return numbers


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no regular expression: {error}") from error


def _machine_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise argparse.ArgumentTypeError(f"'{text}': letters, digits, '.', '_' and '-' only")
    return text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/peers", description=__doc__)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--trainer", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--suite", choices=[*SUITES, "all", TRAINING], default="marks", help="all: but for training (%(default)s)"
    )
    parser.add_argument("--pairs", type=pathlib.Path, metavar="FILE.tsv", help="sentences of training (made up)")
    parser.add_argument("--shapes", type=_pattern, metavar="REGEX", help="only cases whose name matches")
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    parser.add_argument("--systems", default=",".join(NAMES[1:]), help="others to measure (%(default)s)")
    parser.add_argument("--threads", type=_numbers, help="thread counts (1 and all cores)")
    parser.add_argument("--repeats", type=int, default=7, help="undisturbed rounds (%(default)s)")
    parser.add_argument("--seconds", type=float, help="a case's budget; four times as many where rounds were disturbed")
    parser.add_argument("--sample", type=float, default=0.1, metavar="SECONDS", help="length of a sample (%(default)s)")
    parser.add_argument("--isa", help="instruction set of ours (the library's choice)")
    parser.add_argument("--peer-isa", choices=["avx2"], help="hide what is beyond it from the others")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE")
    parser.add_argument(
        "--machine", type=_machine_name, metavar="NAME", help="keep text, JSON and SVG in Benchmarks/results"
    )
    parser.add_argument("--self-test", action="store_true", help="measure nothing: check that systems agree")
    arguments = parser.parse_args()
    if arguments.repeats < 1 or arguments.sample <= 0:
        parser.error("--repeats and --sample must be positive")
    if arguments.suite == TRAINING and arguments.svg:
        parser.error("--svg: the suite training draws no chart")
    if arguments.pairs and (arguments.suite != TRAINING or not arguments.pairs.is_file()):
        parser.error(f"--pairs: {'no such file' if arguments.suite == TRAINING else 'only with --suite training'}")
    arguments.systems = [name for name in arguments.systems.split(",") if name]
    for name in arguments.systems:
        if name not in NAMES[1:]:
            parser.error(f"--systems: '{name}' is none of {', '.join(NAMES[1:])}")
    return arguments


def _start(arguments: argparse.Namespace, threads: list[int]) -> tuple[list[Worker], dict[str, str]]:
    """Ours first: the others are compared with it. And what did not load, with the reason. Ends the program when ours
    does not."""
    workers, absent = [], {}
    for name in (OURS, *arguments.systems):
        worker = kernel_worker(name, arguments.build, arguments.isa, max(threads), cap=arguments.peer_isa is not None)
        if not worker.failure:
            workers.append(worker)
            continue
        worker.close()
        if name == OURS:
            sys.exit(f"peers: {worker.failure}")
        print(f"peers: {name} is left out: {worker.failure}", file=sys.stderr)
        absent[name] = worker.failure
    return workers, absent


def _self_test(workers: list[Worker], threads: int) -> tuple[int, int]:
    """Every case at a tiny size: how many checks passed, and how many failed."""
    passed = failed = 0
    for case in tiny_cases():
        result = interleave.check(case, workers, threads)
        for worker in workers[1:]:
            name = worker.system
            if name in result.failed:
                failed += 1
                print(f"FAILED {case.name}: {name}: {result.failed[name]}")
            elif name in result.differences:
                passed += 1
                print(f"ok {case.name}: {name} {result.differences[name]:.1e} (allowed {result.tolerance:.1e})")
            else:
                print(f"– {case.name}: {name}: {result.unsupported.get(name)}")
    return passed, failed


def _self_test_training(options: training.Options) -> tuple[int, int]:
    """Likewise; nothing where the trainer was not built."""
    if not options.trainer.is_file():
        print("– training: left out, its Swift program is not built: --suite training --self-test builds it")
        return 0, 0
    try:
        return training.self_test(options)
    except WorkerFailed as failure:
        print(f"FAILED training: {failure}")
        return 0, 1


def _train(arguments: argparse.Namespace, options: training.Options) -> int:
    if not options.forms:
        print("peers: no form of suite training matches; --list names them", file=sys.stderr)
        return 2
    try:
        outcome = training.run(options)
    except WorkerFailed as failure:
        print(f"peers: {failure}", file=sys.stderr)
        return 1
    print(outcome.text)
    if arguments.json:
        _write(arguments.json, outcome.json)
    if arguments.machine:
        for suffix, text in (("txt", outcome.text), ("json", outcome.json)):
            _write(_RESULTS / f"{arguments.machine}-{TRAINING}.{suffix}", text)
    return 1 if outcome.failed else 0


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"wrote {path}")


def _measure(arguments: argparse.Namespace, workers: list[Worker], absent: dict[str, str], settings: Settings) -> int:
    cases = [c for c in cases_of(arguments.suite) if not arguments.shapes or arguments.shapes.search(c.name)]
    if not cases:
        print(f"peers: no case of suite {arguments.suite} matches; --list names them", file=sys.stderr)
        return 2
    limits = machine.Limits(arguments.build)
    described = {w.system: w.description for w in workers if w.description}
    described |= {name: {"left out": reason} for name, reason in absent.items()}
    isa = described[OURS]["isa"]
    measured = machine.measure(limits, settings.threads)
    head = heading(measured, described, settings, arguments.peer_isa)
    print(head, end="\n\n", flush=True)

    results: list[CaseResult] = []
    begun = time.monotonic()
    for index, case in enumerate(cases):
        if sys.stderr.isatty():
            line = f"[{index + 1}/{len(cases)}] {case.name}, {time.monotonic() - begun:.0f} s so far"
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        try:
            results.append(interleave.measure(case, workers, limits, isa, settings))
        except WorkerFailed as failure:
            print(f"peers: {case.name}: {failure}", file=sys.stderr)
            return 1
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)

    body = f"{table(results)}\n\n{notes(results)}\n"
    print(body)
    options = {"suite": arguments.suite, "isa": isa, "peerIsa": arguments.peer_isa}
    data = json.dumps(report(results, measured, described, settings, options), indent=1, sort_keys=True) + "\n"
    threads = "/".join(map(str, settings.threads))
    picture = chart(results, f"{measured['processor']} · {isa} · {threads} threads · {time.strftime('%Y-%m-%d')}")
    if arguments.json:
        _write(arguments.json, data)
    if arguments.svg:
        _write(arguments.svg, picture)
    if arguments.machine:
        stem = f"{arguments.machine}-{arguments.suite}"
        for suffix, text in (("txt", f"{head}\n\n{body}"), ("json", data), ("svg", picture)):
            _write(_RESULTS / f"{stem}.{suffix}", text)
    return 1 if any(result.failed for result in results) else 0


def main() -> int:
    arguments = _arguments()
    forms = [form for form in FORMS if not arguments.shapes or arguments.shapes.search(form.name)]
    if arguments.list:
        if arguments.suite == TRAINING:
            print("\n".join(f"{TRAINING}: {form.name}" for form in forms))
        else:
            print("\n".join(f"{case.suite}: {case.name}" for case in cases_of(arguments.suite)))
        return 0
    threads = arguments.threads or sorted({1, machine.cores()})
    options = training.Options(
        arguments.build,
        arguments.trainer,
        arguments.pairs,
        forms,
        threads,
        arguments.seconds,
        arguments.isa,
        arguments.peer_isa,
    )
    settings = Settings(threads, arguments.repeats, arguments.seconds, arguments.sample)
    workers: list[Worker] = []
    try:
        if arguments.suite == TRAINING and not arguments.self_test:
            return _train(arguments, options)
        checks = []
        if arguments.suite != TRAINING:
            workers, absent = _start(arguments, threads)
            if not arguments.self_test:
                return _measure(arguments, workers, absent, settings)
            checks.append(_self_test(workers, max(threads)))
        checks.append(_self_test_training(options))
        passed, failed = (sum(counts) for counts in zip(*checks, strict=True))
        print(f"{passed} passed, {failed} failed")
        return 1 if failed or not passed else 0
    except KeyboardInterrupt:
        return 130
    finally:
        for worker in workers:
            worker.close()


if __name__ == "__main__":
    sys.exit(main())
