"""The training suite's results as JSON."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from training.forms import AIM, MARK
from training.turns import Result
from training.workers import OURS, TORCH


def report(
    results: list[Result], machine: dict[str, Any], systems: dict[str, dict[str, str]], settings: dict[str, Any]
) -> dict[str, Any]:
    """See ../../README.md for the keys."""
    return {
        "schema": "swift-attention-peers-training/1",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine,
        "systems": systems,
        "settings": settings,
        "results": [_result(result) for result in results],
    }


def _result(result: Result) -> dict[str, Any]:
    agreement = result.agreement
    said = {
        "form": result.form.name,
        "attentionalLayer": result.form.attentional_layer,
        "threads": result.threads,
        "parameters": agreement.parameters,
        "data": {name: count for name, count in agreement.opened.items() if name != "parameters"},
        "agreement": {
            "exactLosses": agreement.exact,
            "losses": agreement.losses,
            "tolerances": agreement.tolerances,
            "problem": agreement.problem,
        },
        "otherProcesses": result.foreign,
        "steal": result.steal,
        "unsettledTurns": result.unsettled,
    }
    if agreement.problem:
        return said
    ratio = result.ratio
    return said | {
        "batches": result.batches_done,
        "tokens": result.tokens_done,
        "tokensPerSecond": {system: dataclasses.asdict(result.speed(system)) for system in (OURS, TORCH)},
        "tokensPerSecondOfAll": {system: result.overall(system) for system in (OURS, TORCH)},
        "ratio": dataclasses.asdict(ratio),
        "processorTimeRatio": result.processor_ratio,
        "marks": [
            {"name": name, "mark": mark, "measured": ratio.median, "reached": ratio.median >= mark}
            for name, mark in (("ratio", MARK), ("aim", AIM))
        ],
    }
