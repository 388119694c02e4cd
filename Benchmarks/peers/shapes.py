"""What is measured: the cases of each suite, and the marks that are set for them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

Pass = Literal["forward", "backward", "both"]
Type = Literal["float32", "float64", "float16", "bfloat16"]
Suite = Literal["marks", "options", "short", "types"]
SUITES: tuple[Suite, ...] = ("marks", "options", "short", "types")


@dataclass(frozen=True)
class Marks:
    """Least values to reach: of the FMA peak, of a peer's time over ours, of one thread's time over all threads', of
    the base case's time over this one's."""

    share: float | None = None
    best: float | None = None
    torch: float | None = None
    eager: float | None = None
    scaling: float | None = None
    base: float | None = None


@dataclass(frozen=True)
class Case:
    """One problem and one pass over it. Dimensions are named as in attention.h."""

    name: str
    suite: Suite
    batch: int = 1
    heads: int = 8
    kv_heads: int = 8
    queries: int = 2048
    keys: int = 2048
    dimension: int = 64
    type: Type = "float32"
    work: Pass = "forward"
    kind: Literal["dot", "additive"] = "dot"
    causal: bool = False
    window: int | None = None  # keys that a query sees, itself and those before it; with causal
    mask: bool = False  # a boolean tensor [Sq, Sk] for all heads, three quarters true
    bias: Literal["shared", "heads"] | None = None  # a tensor [Sq, Sk] for all heads, or [H, Sq, Sk]
    softcap: float = 0.0
    all_threads_only: bool = False
    base: Case | None = None  # ours, measured in the same rounds
    marks: Marks = Marks()

    @property
    def visible_pairs(self) -> int:
        """(query, key) pairs that causal and window leave, of all heads. A mask tensor is not counted off."""
        if not self.causal:
            return self.batch * self.heads * self.queries * self.keys
        seen = min(self.window or self.keys, self.keys)
        full = max(self.queries - seen, 0)
        return self.batch * self.heads * (seen * (seen + 1) // 2 + full * seen)

    @property
    def flops(self) -> float | None:
        """4 D a visible pair forward, 2.5 times that backward. None for additive scores, whose work is no FMA."""
        if self.kind == "additive":
            return None
        return {"forward": 1.0, "backward": 2.5, "both": 3.5}[self.work] * 4 * self.dimension * self.visible_pairs

    @property
    def scores_bytes(self) -> int:
        """What one array of all scores takes."""
        return self.batch * self.heads * self.queries * self.keys * (8 if self.type == "float64" else 4)


def _sized(length: int, dimension: int, **more: object) -> dict[str, object]:
    return {"queries": length, "keys": length, "dimension": dimension, **more}


def _marks() -> list[Case]:
    cases: list[Case] = []

    def add(name: str, sizes: dict[str, object], **more: object) -> None:
        cases.append(Case(name, "marks", **sizes, **more))  # type: ignore[arg-type]

    all_of = {"scaling": 1.93}
    for d, share in ((64, 0.85), (128, 0.90)):
        add(f"forward D={d} S=2048", _sized(2048, d), marks=Marks(share=share, best=1.2, **all_of))
    for d, share, best in ((64, 0.80, 1.45), (128, 0.85, 1.4)):
        add(
            f"forward causal D={d} S=2048",
            _sized(2048, d, causal=True),
            marks=Marks(share=share, best=best, **all_of),
        )
    add("forward causal D=64 S=512", _sized(512, 64, causal=True), marks=Marks(share=0.70, best=1.6, **all_of))
    add("forward causal D=64 S=8192", _sized(8192, 64, causal=True), marks=Marks(share=0.82, best=1.3, **all_of))
    for causal, share, torch in ((False, 0.78, 1.2), (True, 0.75, 1.4)):
        for d in (64, 128):
            sizes = _sized(2048, d, causal=causal)
            mask = "causal " if causal else ""
            marks = Marks(share=share, torch=torch, **all_of)
            add(f"forward+backward {mask}D={d} S=2048", sizes, work="both", marks=marks)
            add(f"backward {mask}D={d} S=2048", sizes, work="backward")
    add(
        "forward+backward one head D=64 S=4096",
        _sized(4096, 64, heads=1, kv_heads=1),
        work="both",
        marks=Marks(torch=1.9, scaling=1.9),
    )
    additive = _sized(512, 256, batch=8, heads=1, kv_heads=1, kind="additive", all_threads_only=True)
    add("additive forward B=8 T=512 H=256", additive, marks=Marks(eager=30))
    add("additive forward+backward B=8 T=512 H=256", additive, work="both", marks=Marks(eager=20))
    return cases


def _options() -> list[Case]:
    plain = Case("plain", "options")
    cases = [plain]

    def add(name: str, base: Case = plain, marks: Marks = Marks(), **more: object) -> None:
        cases.append(dataclasses.replace(base, name=name, base=base, marks=marks, **more))  # type: ignore[arg-type]

    add("mask tensor [S,S]", marks=Marks(base=0.7), mask=True)
    add("bias tensor [S,S]", marks=Marks(base=0.7), bias="shared")
    add("bias tensor [H,S,S]", marks=Marks(base=0.7), bias="heads")
    add("softcap", softcap=30.0)
    add("grouped heads H=8 G=2", kv_heads=2)
    long = Case("causal S=8192", "options", queries=8192, keys=8192, causal=True)
    cases.append(long)
    add("window 256 causal S=8192", base=long, marks=Marks(base=10), window=256)
    both = Case("plain forward+backward", "options", work="both")
    add("mask tensor [S,S] forward+backward", base=both, mask=True)
    add("bias tensor [S,S] forward+backward", base=both, bias="shared")
    add("grouped heads H=8 G=2 forward+backward", base=both, kv_heads=2)
    return cases


def _short() -> list[Case]:
    cases = [
        Case(f"S={s} D={d} H={h}", "short", queries=s, keys=s, dimension=d, heads=h, kv_heads=h)
        for s, d, h in (
            (1, 64, 1),
            (1, 64, 8),
            (4, 64, 8),
            (16, 32, 2),
            (16, 64, 8),
            (32, 64, 8),
            (64, 64, 8),
        )
    ]
    cases += [Case(f"S=512 D={d}", "short", queries=512, keys=512, dimension=d) for d in (32, 80, 96, 256)]
    cases += [
        Case("B=64 S=16 D=64", "short", batch=64, queries=16, keys=16),
        Case("B=64 S=64 D=64", "short", batch=64, queries=64, keys=64),
        Case("B=64 S=50 D=32", "short", batch=64, queries=50, keys=50, dimension=32),
        Case("Sq=1 Sk=4096", "short", queries=1, keys=4096),
        Case("Sq=17 Sk=1000", "short", queries=17, keys=1000),
        Case("Sq=1000 Sk=77", "short", queries=1000, keys=77),
        Case("one head S=2048", "short", heads=1, kv_heads=1),
        Case("one head S=333 D=64", "short", heads=1, kv_heads=1, queries=333, keys=333),
        Case("causal S=64 D=64", "short", queries=64, keys=64, causal=True),
        Case("forward+backward S=64 D=64", "short", queries=64, keys=64, work="both"),
        Case("forward+backward B=64 S=50 D=32", "short", batch=64, queries=50, keys=50, dimension=32, work="both"),
    ]
    return cases


def _types() -> list[Case]:
    cases = []
    types: tuple[Type, ...] = ("float32", "float16", "bfloat16", "float64")
    for d in (64, 128):
        for type_ in types:
            cases.append(Case(f"forward D={d} {type_}", "types", dimension=d, type=type_))
    for type_ in types:
        cases.append(Case(f"forward causal D=64 {type_}", "types", type=type_, causal=True))
    for type_ in types:
        cases.append(Case(f"forward+backward D=64 {type_}", "types", type=type_, work="both"))
    for type_ in types:
        # Keys and values are read for one query alone: memory binds.
        cases.append(Case(f"Sq=1 Sk=32768 {type_}", "types", queries=1, keys=32768, type=type_))
    return cases


def cases_of(suite: str) -> list[Case]:
    """The cases of a suite, or of all."""
    makers = {"marks": _marks, "options": _options, "short": _short, "types": _types}
    if suite == "all":
        return [case for make in makers.values() for case in make()]
    return makers[suite]()


def tiny_cases() -> list[Case]:
    """Every kind of case at sizes that take no time: for checking that systems agree."""
    small = Case("plain", "short", batch=2, heads=4, kv_heads=4, queries=19, keys=33, dimension=24)
    square = dataclasses.replace(small, keys=19)
    cases = [
        small,
        dataclasses.replace(square, name="causal", causal=True),
        dataclasses.replace(square, name="window", causal=True, window=5),
        dataclasses.replace(small, name="mask", mask=True),
        dataclasses.replace(small, name="bias", bias="shared"),
        dataclasses.replace(small, name="bias of each head", bias="heads"),
        dataclasses.replace(small, name="softcap", softcap=2.0),
        dataclasses.replace(small, name="grouped", kv_heads=2),
    ]
    cases += [
        dataclasses.replace(case, name=f"{case.name}, {work}", work=work) for case in cases for work in _GRADIENTS
    ]
    types: tuple[Type, ...] = ("float64", "float16", "bfloat16")
    cases += [dataclasses.replace(small, name=f"{t}, {w}", type=t, work=w) for t in types for w in ("forward", "both")]
    additive = dataclasses.replace(small, name="additive", kind="additive", heads=1, kv_heads=1)
    return cases + [dataclasses.replace(additive, name=f"additive, {w}", work=w) for w in ("forward", *_GRADIENTS)]


_GRADIENTS: tuple[Pass, ...] = ("backward", "both")
