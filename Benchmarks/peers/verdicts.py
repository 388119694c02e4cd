"""The marks of a case held against what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from interleave import Row


@dataclass(frozen=True)
class Verdict:
    """One mark: its value, the measured median, None where it was not measured."""

    name: str
    mark: float
    measured: float | None

    @property
    def is_reached(self) -> bool:
        return self.measured is not None and self.measured >= self.mark

    def __str__(self) -> str:
        def text(value: float) -> str:
            return f"{100 * value:.1f} %" if self.name == "share" else f"{value:.2f}×"

        if self.measured is None:
            return f"{self.name}: not measured"
        return f"{self.name} {'reached' if self.is_reached else 'missed'} ({text(self.measured)} of {text(self.mark)})"


def verdicts(row: Row) -> list[Verdict]:
    marks, best = row.case.marks, row.best
    ratio = {name: summary.median for name, summary in row.ratios.items()}
    measured = {
        "share": row.share.median if row.share else None,
        "best": best[1].median if best else None,
        "torch": ratio.get("torch"),
        "eager": ratio.get("unfused"),
        "scaling": row.scaling.median if row.scaling else None,
        "base": row.base.median if row.base else None,
    }
    # One thread has nothing to scale over.
    names = [name for name in measured if name != "scaling" or row.threads > 1]
    return [Verdict(name, mark, measured[name]) for name in names if (mark := getattr(marks, name)) is not None]
