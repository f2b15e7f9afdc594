"""What the stack knows of a server: how it runs, how it is asked, which ports it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_stack.fetch import Distributions
from local_stack.program import Program
from local_stack.settings import StackSettings


@dataclass(frozen=True, slots=True)
class Server:
    """One server."""

    name: str
    program: Callable[[StackSettings, Distributions], Program]
    probe: Callable[[StackSettings], None]
    """Returns when the server does what it is for; raises NotReady otherwise."""
    ports: tuple[str, ...]
    """Fields of `Ports`; the first one is where people reach it."""
