"""The training suite's results as text."""

from __future__ import annotations

from table import aligned, disturbance, spread, times
from training.forms import AIM, MARK
from training.turns import Result
from training.workers import OURS, TORCH

_HEADINGS = [
    "form",
    "thr",
    "parameters",
    "batches",
    "tokens",
    "ours tok/s",
    "torch tok/s",
    "ratio",
    "quartiles",
    "of all",
    "cpu",
    f"mark {MARK:g}, aim {AIM:g}",
]
_LEFT = {0, len(_HEADINGS) - 1}


def verdict(result: Result) -> str:
    """Of the median ratio."""
    median = result.ratio.median
    return "aim reached" if median >= AIM else "mark reached, aim missed" if median >= MARK else "missed"


def table(results: list[Result]) -> str:
    """Speeds are medians of the turns; the ratio is ours over PyTorch's."""
    measured = [result for result in results if result.agreement.problem is None]
    return aligned(_HEADINGS, [_cells(result) for result in measured], _LEFT)


def _cells(result: Result) -> list[str]:
    ratio = result.ratio
    return [
        result.form.name,
        str(result.threads),
        f"{result.agreement.opened['parameters']:,}",
        f"{result.batches_done} of {result.batches}",
        f"{result.tokens_done:,}",
        f"{result.speed(OURS).median:,.0f}",
        f"{result.speed(TORCH).median:,.0f}",
        times(ratio),
        spread(ratio),
        f"{result.overall(OURS) / result.overall(TORCH):.2f}",
        f"{result.processor_ratio:.2f}",
        verdict(result),
    ]


def notes(results: list[Result]) -> str:
    """How well both agreed, and what disturbed the run."""
    lines = []
    for result in results:
        agreement = result.agreement
        name = f"{result.form.name}, {result.threads} thr"
        if agreement.problem:
            lines.append(f"failed: {name}: {agreement.problem}")
            continue
        first, largest = agreement.first_differences, agreement.largest_differences
        lines.append(
            f"{name}: loss of the first batch without dropout {agreement.exact[0]:.4f}, off by {first[OURS]:.1e} "
            f"(ours) and {first[TORCH]:.1e} (torch), allowed {agreement.tolerances[0]:.1e}; in {len(agreement.exact)} "
            f"steps off by at most {largest[OURS]:.1e} (ours, allowed {agreement.tolerances[-1]:.1e} at the last) and "
            f"{largest[TORCH]:.1e} (torch)"
        )
        lines.append(
            f"{name}: mean loss as trained, with dropout: ours {result.mean_loss(OURS):.3f}, "
            f"torch {result.mean_loss(TORCH):.3f}"
        )
    if results:
        lines += disturbance(max(r.foreign for r in results), max(r.steal for r in results), "in an epoch")
        unsettled = sum(result.unsettled for result in results)
        if unsettled:
            lines.append(f"WARNING: {unsettled} turns began while threads of the other system were still running")
    return "\n".join(lines)
