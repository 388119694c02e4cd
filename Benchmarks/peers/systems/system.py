"""What a system offers to the worker that runs it."""

from __future__ import annotations

from typing import Protocol

from inputs import Array
from shapes import Case


class Unsupported(Exception):
    """The system cannot do this case; says why."""


class Prepared(Protocol):
    """A case with its arrays in place."""

    def activate(self) -> None:
        """Called before a sample: sets the number of threads where that is global."""

    def call(self) -> None:
        """The call that is timed."""

    def outputs(self) -> dict[str, Array]:
        """What the last call wrote, in a type NumPy computes in, shaped like the inputs: output, and query, key,
        value, additive for gradients."""


class System(Protocol):
    def describe(self) -> dict[str, str]:
        """Version, instruction set and threading, for the report."""

    def prepare(self, case: Case, threads: int) -> Prepared:
        """Raises Unsupported."""
