"""What this machine has, as one frozen value: what advice is given from, and what is told.

Nothing here judges. `reading` makes the value of the machine at hand; the tests write down other machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class System(StrEnum):
    """The operating system, as far as advice differs with it."""

    LINUX = "Linux"
    WINDOWS = "Windows"
    MAC = "macOS"
    WSL = "Windows Subsystem for Linux"
    OTHER = "another system"


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics processor as its driver tells it. `capability` (9, 0) is compute capability 9.0; what the driver does not
    tell is None."""

    name: str
    capability: tuple[int, int] | None = None
    memory_bytes: int | None = None

    @property
    def shown_capability(self) -> str:
        return f"{self.capability[0]}.{self.capability[1]}" if self.capability else "unknown"


@dataclass(frozen=True, slots=True)
class Build:
    """The torch that is installed. `cuda` is the CUDA version that it was built with, None for a build without; `sees_card`
    whether it can use a card now, and `complaint` what it said where it cannot. `architectures` are such as "sm_80" and, as
    code that a driver can still compile for newer cards, "compute_80"."""

    version: str
    cuda: str | None = None
    architectures: tuple[str, ...] = ()
    cudnn: str | None = None
    sees_card: bool = False
    complaint: str = ""
    mps: bool = False
    rocm: bool = False


@dataclass(frozen=True, slots=True)
class Toolkit:
    """The CUDA toolkit, which only compiling needs: torch brings the libraries that running needs. `compiler` is the path
    of nvcc wherever it was found, `on_path` whether a shell finds it, `home` what CUDA_HOME (or CUDA_PATH) says."""

    compiler: str | None = None
    version: str | None = None
    on_path: bool = False
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """One machine. `usable_cores` is what this process may use, under its affinity and its container's quota;
    `memory_bytes` what the machine has and `memory_limit` what a container allows (None: no limit).

    `card_on_bus` is True where an NVIDIA card is built in, seen without its driver; `driver` is its version where it
    answers. `hidden_by` is what CUDA_VISIBLE_DEVICES says where it is set.
    """

    system: System
    processor: str
    cores: int
    usable_cores: int
    memory_bytes: int
    build: Build
    memory_limit: int | None = None
    cards: tuple[Card, ...] = ()
    card_on_bus: bool = False
    driver: str | None = None
    toolkit: Toolkit = Toolkit()
    hidden_by: str | None = None
    colab: bool = False
    apple_silicon: bool = False

    @property
    def has_card(self) -> bool:
        """True where an NVIDIA card is there, whether or not anything can use it."""
        return bool(self.cards) or self.card_on_bus
