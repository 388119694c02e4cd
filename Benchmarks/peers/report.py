"""The results as JSON."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from interleave import OURS, CaseResult, Row, Settings
from verdicts import verdicts


def report(
    results: list[CaseResult],
    machine: dict[str, Any],
    systems: dict[str, dict[str, str]],
    settings: Settings,
    options: dict[str, Any],
) -> dict[str, Any]:
    """See ../README.md for the keys. Summaries as in the other benchmarks."""
    return {
        "schema": "swift-attention-peers/1",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine,
        "systems": systems,
        "settings": dataclasses.asdict(settings) | options,
        "results": [_result(result) for result in results],
    }


def _result(result: CaseResult) -> dict[str, Any]:
    case = dataclasses.asdict(dataclasses.replace(result.case, base=None))
    del case["base"]
    case["marks"] = {name: mark for name, mark in case["marks"].items() if mark is not None}
    return {
        "case": case | {"base": result.case.base.name if result.case.base else None, "flops": result.case.flops},
        "rows": [_row(row) for row in result.rows],
        "largestDifference": result.differences,
        "tolerance": result.tolerance,
        "unsupported": result.unsupported,
        "failed": result.failed,
        "otherProcesses": result.foreign,
        "steal": result.steal,
        "roundsLeftOut": result.repeated,
        "unsettledSamples": result.unsettled,
    }


def _row(row: Row) -> dict[str, Any]:
    summaries = {
        "peakFlops": row.peak,
        "shareOfPeak": row.share,
        "speedUpOverOneThread": row.scaling,
        "baseTimeOverOurs": row.base,
    }
    return {
        "threads": row.threads,
        "seconds": {name: dataclasses.asdict(summary) for name, summary in row.seconds.items()},
        "callsPerSample": row.calls,
        "timeOverOurs": {name: dataclasses.asdict(summary) for name, summary in row.ratios.items()},
        "gigaflops": row.case.flops / row.seconds[OURS].median / 1e9 if row.case.flops else None,
        "bestPeer": row.best[0] if row.best else None,
        "marks": [dataclasses.asdict(v) | {"reached": v.is_reached} for v in verdicts(row)],
    } | {name: dataclasses.asdict(summary) for name, summary in summaries.items() if summary}
