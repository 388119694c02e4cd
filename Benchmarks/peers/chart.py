"""The results as an SVG figure: what part of the peak each system reaches, and how ours stands to the best other."""

from __future__ import annotations

import math
from html import escape

from interleave import OURS, CaseResult, Row

# Okabe and Ito's colours, which colour-blind readers tell apart; as in the other charts of Benchmarks/.
_INK, _FAINT, _GRID, _AXIS = "#1f2328", "#59636e", "#e4e7eb", "#9aa3ad"
_COLORS = {
    OURS: "#0072b2",
    "torch": "#d55e00",
    "unfused": "#d99000",
    "onnxruntime": "#009e73",
    "openvino": "#a85a8a",
}
_NAMES = {
    OURS: "swift-attention",
    "torch": "PyTorch",
    "unfused": "PyTorch, unfused",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}
_ROW, _TOP, _PANEL, _GAP = 22, 112, 400, 70
_LETTER = 7.4  # the widest of system fonts at 12 pixels, on average
_MOST_RATIO = 6.0


def chart(results: list[CaseResult], subtitle: str) -> str:
    rows = [row for result in results for row in result.rows]
    several = len({row.threads for row in rows}) > 1
    height = _TOP + _ROW * len(rows) + 76
    left = 24 + math.ceil(_LETTER * max(len(_label(row, several)) for row in rows)) + 10
    width = left + 2 * _PANEL + _GAP + 60
    body = [
        _text(24, 34, "Attention on a processor: share of its peak, and the best other system", 18, _INK, weight=600),
        _text(24, 56, subtitle, 12, _FAINT),
    ]
    body += _legend(24, 78, [name for name in _COLORS if any(name in row.seconds for row in rows)])
    body += _shares(rows, left, several)
    body += _ratios(rows, left + _PANEL + _GAP)
    note = (
        "Bars: medians of samples taken in turns; whiskers: quartiles; dots: the other systems against the same peak; "
        "dashes: marks. Causal counts visible pairs only."
    )
    body.append(_text(24, height - 14, note, 11, _FAINT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif">\n<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _label(row: Row, several: bool) -> str:
    return row.case.name + (f" · {row.threads} thr" if several else "")


def _shares(rows: list[Row], left: float, several: bool) -> list[str]:
    """Every system's rate over the peak of the instruction set that ours ran on."""
    values = [rate for row in rows for rate in _rates(row).values()]
    most = max(1.0, math.ceil(max(values, default=1.0) * 10) / 10)
    scale = _PANEL / most
    ticks = [n / 5 for n in range(int(most * 5) + 1)]
    out = _panel(rows, left, [(tick * scale, f"{100 * tick:.0f} %") for tick in ticks], "share of the FMA peak")
    for index, row in enumerate(rows):
        middle = _middle(index)
        out.append(_text(left - 10, middle + 4, _label(row, several), 12, _INK, anchor="end"))
        if row.share:
            low, high = (min(x, most) * scale for x in (row.share.lowerQuartile, row.share.upperQuartile))
            out.append(_bar(left, middle, row.share.median * scale, _COLORS[OURS], row.threads))
            out.append(_whisker(left + low, left + high, middle))
            if row.case.marks.share:
                out.append(_mark(left + row.case.marks.share * scale, middle))
        for system, rate in _rates(row).items():
            if system != OURS:
                out.append(
                    f'<circle cx="{left + rate * scale:.1f}" cy="{middle}" r="3.6" fill="{_COLORS[system]}" '
                    'stroke="#ffffff" stroke-width="1"/>'
                )
    return out


def _rates(row: Row) -> dict[str, float]:
    """Shares of the peak by system; empty where work is not counted."""
    if not row.case.flops or not row.peak:
        return {}
    rates = {s: row.case.flops / t.median / row.peak.median for s, t in row.seconds.items() if s in _COLORS}
    if row.share:
        rates[OURS] = row.share.median
    return rates


def _ratios(rows: list[Row], left: float) -> list[str]:
    found = [row.best[1].upperQuartile for row in rows if row.best]
    most = min(_MOST_RATIO, max(2.0, math.ceil(max(found, default=1.0) * 2) / 2))
    scale = _PANEL / most
    step = 0.5 if most <= 4 else 1.0
    ticks = [n * step for n in range(int(most / step) + 1)]
    out = _panel(rows, left, [(t * scale, f"{t:g}×") for t in ticks], "time of the best other system over ours")
    out.append(
        f'<line x1="{left + scale:.1f}" x2="{left + scale:.1f}" y1="{_TOP}" y2="{_TOP + _ROW * len(rows)}" '
        f'stroke="{_INK}" stroke-width="1"/>'
    )
    for index, row in enumerate(rows):
        if not row.best:
            continue
        (system, ratio), middle = row.best, _middle(index)
        end = min(ratio.median, most) * scale
        out.append(_bar(left, middle, end, _COLORS[system], row.threads))
        if ratio.upperQuartile <= most:
            out.append(_whisker(left + ratio.lowerQuartile * scale, left + ratio.upperQuartile * scale, middle))
        wanted = row.case.marks.best or row.case.marks.torch or 0.0
        if 0 < wanted <= most:
            out.append(_mark(left + wanted * scale, middle))
        text = f"{ratio.median:.2f}×" if ratio.median < 20 else f"{ratio.median:.0f}×"
        inside = end > _PANEL - 44
        x, color = (left + end - 6, "#ffffff") if inside else (left + max(end, ratio.upperQuartile * scale) + 8, _FAINT)
        out.append(_text(x, middle + 4, text, 11, color, anchor="end" if inside else "start", halo=not inside))
    return out


def _middle(index: int) -> float:
    return _TOP + _ROW * index + _ROW / 2


def _panel(rows: list[Row], left: float, ticks: list[tuple[float, str]], title: str) -> list[str]:
    bottom = _TOP + _ROW * len(rows)
    out = []
    for offset, label in ticks:
        x = f"{left + offset:.1f}"
        out.append(f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}" stroke="{_GRID}"/>')
        out.append(_text(left + offset, bottom + 16, label, 11, _FAINT, anchor="middle"))
    out.append(f'<line x1="{left}" x2="{left}" y1="{_TOP}" y2="{bottom}" stroke="{_AXIS}"/>')
    out.append(_text(left + _PANEL / 2, bottom + 34, title, 12, _INK, anchor="middle"))
    return out


def _bar(left: float, middle: float, length: float, color: str, threads: int) -> str:
    """One thread lighter than several."""
    opacity = 0.55 if threads == 1 else 0.9
    return (
        f'<rect x="{left}" y="{middle - 6}" width="{max(length, 0):.1f}" height="12" fill="{color}" '
        f'fill-opacity="{opacity}"/>'
    )


def _whisker(low: float, high: float, middle: float) -> str:
    return f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="{_INK}" stroke-width="1.5"/>'


def _mark(x: float, middle: float) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 9}" y2="{middle + 9}" stroke="{_INK}" stroke-width="2" '
        'stroke-dasharray="3 2"/>'
    )


def _legend(x: float, y: float, systems: list[str]) -> list[str]:
    out = []
    for system in systems:
        out.append(f'<rect x="{x}" y="{y - 9}" width="11" height="11" rx="2" fill="{_COLORS[system]}"/>')
        out.append(_text(x + 17, y + 1, _NAMES[system], 12, _INK))
        x += 46 + 7 * len(_NAMES[system])
    out.append(_text(x, y + 1, "paler: one thread", 12, _FAINT))
    return out


def _text(
    x: float, y: float, text: str, size: int, color: str, anchor: str = "start", weight: int = 400, halo: bool = False
) -> str:
    outline = ' stroke="#ffffff" stroke-width="3" paint-order="stroke"' if halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" text-anchor="{anchor}" '
        f'font-weight="{weight}"{outline}>{escape(text)}</text>'
    )
