"""Whether both systems train the same model: the losses of some steps from the same parameters without dropout.

Every step's loss follows from all parameters, all gradients, the clipping and Adam of the steps before. The truth is
PyTorch's model in float64. What is allowed is less than what mistakes make: at the tiny size 2e-6 at the eighth step,
where PyTorch in float32 is off by 1e-7, attention without its bias by 2e-5, Adam's second beta at 0.998 by 5e-5, its
epsilon at 1e-7 by 1e-4, a rate 0.1 % larger by 2e-4, a bridge without tanh by 4e-4, no clipping by 2e-3, attention to
padding by 6e-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.forms import Form, Sizes, Training
from training.workers import OURS, TORCH, Files, Pair, train

STEPS = 8


@dataclass
class Agreement:
    """Losses of the steps by system, and how far they may be from the exact ones."""

    parameters: dict[str, int]
    opened: dict[str, Any]  # what ours said of the sizes
    exact: list[float]
    losses: dict[str, list[float]]
    tolerances: list[float]  # relative, of each step

    @property
    def first_differences(self) -> dict[str, float]:
        """Of the first batch, relative."""
        return {name: self._differences(name)[0] for name in self.losses}

    @property
    def largest_differences(self) -> dict[str, float]:
        """Of all steps, relative."""
        return {name: max(self._differences(name)) for name in self.losses}

    @property
    def problem(self) -> str | None:
        """Why the two are not the same training; None where they are."""
        if len(set(self.parameters.values())) > 1:
            return "numbers of parameters differ: " + ", ".join(f"{n} {count}" for n, count in self.parameters.items())
        for name in self.losses:
            if len(self.losses[name]) != len(self.exact):
                return f"{name} took {len(self.losses[name])} steps of {len(self.exact)}"
            # PyTorch's later steps are its own in float64 but for roundings: only ours can be another training.
            steps = len(self.exact) if name == OURS else 1
            pairs = zip(self._differences(name)[:steps], self.tolerances[:steps], strict=True)
            for step, (difference, allowed) in enumerate(pairs):
                if not difference <= allowed:
                    return f"{name}'s loss of step {step + 1} is off by {difference:.1e}, beyond {allowed:.1e}"
        return None

    def _differences(self, name: str) -> list[float]:
        return [abs(loss / exact - 1) for loss, exact in zip(self.losses[name], self.exact, strict=True)]


def tolerance(step: int, width: int) -> float:
    """How far a float32 loss of a step, counted from 1, may be from the exact one, relative.

    A logit sums `width` products; roundings that are independent make sqrt(width) u of it, and a mean over tokens is
    off by no more than one of them. Each step before has rounded the parameters as often, and the errors add up.
    """
    return step * width**0.5 * 2.0**-24


def check(pair: Pair, form: Form, sizes: Sizes, files: Files, how: Training) -> Agreement:
    """Raises WorkerFailed."""
    opened = pair.open_ours(form, sizes, files, how)
    steps = min(STEPS, opened["batches"])
    ours = train(pair.ours, steps).losses
    answer = pair.open_torch(files, how)
    torch = train(pair.torch, steps).losses
    pair.open_torch(files, how, precision="float64")
    exact = train(pair.torch, steps).losses
    width = sizes.hidden if form.attentional_layer else 3 * sizes.hidden
    return Agreement(
        {OURS: opened["parameters"], TORCH: answer["parameters"]},
        opened,
        exact,
        {OURS: ours, TORCH: torch},
        [tolerance(step + 1, width) for step in range(steps)],
    )
