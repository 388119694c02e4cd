"""The results as text."""

from __future__ import annotations

from typing import Any

from interleave import OURS, CaseResult, Row, Settings, Summary, median_rate
from verdicts import verdicts

PEERS = ("torch", "unfused", "onnxruntime", "openvino")
_NONE = "–"


def duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def spread(summary: Summary) -> str:
    """Half of the samples, around the median, in percent of it."""
    low, high = (100 * (x / summary.median - 1) for x in (summary.lowerQuartile, summary.upperQuartile))
    return f"{low:+.0f}…{high:+.0f} %"


def times(summary: Summary | None) -> str:
    if summary is None:
        return _NONE
    return f"{summary.median:.2f}" if summary.median < 20 else f"{summary.median:.0f}"


def share(summary: Summary | None) -> str:
    if summary is None:
        return _NONE
    return f"{100 * summary.median:.1f} ({100 * summary.lowerQuartile:.0f}…{100 * summary.upperQuartile:.0f})"


def _cells(row: Row, result: CaseResult) -> list[str]:
    ours, best, rate = row.seconds[OURS], row.best, median_rate(row, OURS)
    ratios = []
    for peer in PEERS:
        if peer in row.ratios:
            ratios.append(times(row.ratios[peer]))
        else:
            ratios.append("failed" if peer in result.failed else _NONE)
    missed = [str(verdict) for verdict in verdicts(row) if not verdict.is_reached]
    reached = "all reached" if row.case.marks != type(row.case.marks)() else ""
    return [
        row.case.name,
        str(row.threads),
        duration(ours.median),
        spread(ours),
        _NONE if rate is None else f"{rate:.1f}",
        share(row.share),
        times(row.scaling),
        *ratios,
        f"{times(best[1])} {best[0]}" if best else _NONE,
        times(row.base),
        "; ".join(missed) or reached,
    ]


_HEADINGS = [
    "case",
    "thr",
    "ours",
    "quartiles",
    "GFLOP/s",
    "% of peak",
    "× 1 thr",
    *PEERS,
    "best peer",
    "base",
    "marks",
]
_LEFT = {0, len(_HEADINGS) - 1, len(_HEADINGS) - 3}


def table(results: list[CaseResult]) -> str:
    """Times of ours; of the others their time over ours, so that above 1 ours is the faster."""
    return aligned(_HEADINGS, [_cells(row, result) for result in results for row in result.rows], _LEFT)


def aligned(headings: list[str], rows: list[list[str]], left: set[int]) -> str:
    """Columns as wide as their widest cell, those of `left` to the left."""
    widths = [max(len(line[column]) for line in [headings, *rows]) for column in range(len(headings))]
    printed = []
    for line in [headings, ["-" * width for width in widths], *rows]:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        printed.append("  ".join(cells).rstrip())
    return "\n".join(printed)


def notes(results: list[CaseResult]) -> str:
    """What did not run and why, the largest differences, and what disturbed the run."""
    lines = []
    unsupported: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for system, reason in result.unsupported.items():
            unsupported.setdefault((system, reason), []).append(result.case.name)
        lines += [f"failed: {system}, {result.case.name}: {why}" for system, why in result.failed.items()]
    lines += [f"not run: {system}, {reason}: {', '.join(names)}" for (system, reason), names in unsupported.items()]
    for system in (OURS, *PEERS):
        found = [(r.differences[system] / r.tolerance, r) for r in results if system in r.differences]
        if found:
            worst = max(found, key=lambda pair: pair[0])[1]
            against = "between thread counts" if system == OURS else "from ours"
            lines.append(
                f"largest difference {against}: {system} {worst.differences[system]:.1e} of the largest element "
                f"({worst.case.name}; allowed {worst.tolerance:.1e})"
            )
    if results:
        lines += disturbance(max(r.foreign for r in results), max(r.steal for r in results), "in a round")
        lines.append(f"{sum(r.repeated for r in results)} disturbed rounds were left out")
        unsettled = sum(r.unsettled for r in results)
        if unsettled:
            lines.append(f"WARNING: {unsettled} samples began while threads of another system were still running")
    return "\n".join(lines)


def disturbance(foreign: float, steal: float, within: str) -> list[str]:
    """What took the cores' time, as parts of it."""
    lines = [
        f"other processes took up to {100 * foreign:.1f} % of the cores' time {within}, steal {100 * steal:.1f} %"
    ]
    if foreign > 0.03 or steal > 0.03:
        lines.append("WARNING: the machine was not quiet: do not keep these figures")
    return lines


def heading(
    machine: dict[str, Any], systems: dict[str, dict[str, str]], settings: Settings, peer_isa: str | None
) -> str:
    rounds = (
        f"threads {', '.join(map(str, settings.threads))}; {settings.repeats} rounds"
        + (f", at most {settings.seconds:g} s a case" if settings.seconds is not None else "")
        + f"; samples of {1e3 * settings.sample_seconds:g} ms or one call"
    )
    lines = [rounds, *peer_limit(peer_isa), *description(systems), *limits(machine)]
    lines.append(f"an empty call from Python: {machine['emptyCallMicroseconds']:.2f} µs")
    return "\n".join([processor(machine), *lines])


def processor(machine: dict[str, Any]) -> str:
    return f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"


def peer_limit(peer_isa: str | None) -> list[str]:
    return [
        f"peers' instruction set: {'capped at ' + peer_isa if peer_isa else 'as each chooses'}",
        "marks are for two cores with AVX2 on both sides: elsewhere --isa avx2 --peer-isa avx2 --threads 1,2",
    ]


def description(systems: dict[str, dict[str, str]]) -> list[str]:
    return [f"{name}: " + "; ".join(f"{key} {value}" for key, value in said.items()) for name, said in systems.items()]


def limits(machine: dict[str, Any]) -> list[str]:
    lines = []
    for name, rates in machine["peakGigaflops"].items():
        lines.append(f"peak {name}: " + ", ".join(f"{rate:.1f} GFLOP/s on {n}" for n, rate in rates.items()))
    rates = machine["readGigabytes"]
    return [*lines, "read bandwidth: " + ", ".join(f"{rate:.1f} GB/s on {n}" for n, rate in rates.items())]
