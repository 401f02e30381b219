"""Reading the facts of the machine at hand. Whatever is absent, broken or forbidden is absent in the facts, never an error."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil
import torch

from liebig.hardware.facts import Build, Card, Facts, System, Toolkit
from liebig.hardware.memory import cgroup_limit

_SECONDS: Final = 5.0  # a driver that hangs is one that does not answer
_NVIDIA: Final = "0x10de"  # its number as a maker of PCI devices
_QUERY: Final = ("name", "compute_cap", "memory.total", "driver_version")
_HOMES: Final = ("CUDA_HOME", "CUDA_PATH")


def read_facts(root: Path = Path("/"), environment: Mapping[str, str] | None = None) -> Facts:
    """The facts of this machine. `root` and `environment` are where the system's files and variables are read."""
    environment = os.environ if environment is None else environment
    system = _system(root)
    cards, driver = read_cards(_said_by([_management_command(root), *_question()]))
    build = read_build()
    if not cards and build.sees_card:
        cards = _cards_of_torch()
    return Facts(
        system=system,
        processor=processor_name(root),
        cores=os.cpu_count() or 1,
        usable_cores=usable_cores(root),
        memory_bytes=int(psutil.virtual_memory().total),
        memory_limit=cgroup_limit(root / "sys/fs/cgroup"),
        build=build,
        cards=cards,
        card_on_bus=bool(cards) or _card_on_bus(root) or (system is System.WINDOWS and _card_in_windows()),
        driver=driver,
        toolkit=_toolkit(root, environment),
        hidden_by=environment.get("CUDA_VISIBLE_DEVICES"),
        colab="COLAB_RELEASE_TAG" in environment or "COLAB_GPU" in environment,
        apple_silicon=system is System.MAC and platform.machine() == "arm64",
    )


def _said_by(command: Sequence[str]) -> str:
    """What a command printed; empty where it is not there, fails or does not answer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _management_command(root: Path) -> str:
    """Where nvidia-smi is: under WSL it lies beside the driver's libraries, which a shell's path may lack."""
    beside = root / "usr/lib/wsl/lib/nvidia-smi"
    return shutil.which("nvidia-smi") or (str(beside) if beside.is_file() else "nvidia-smi")


def _question() -> tuple[str, ...]:
    return f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits"


def read_cards(told: str) -> tuple[tuple[Card, ...], str | None]:
    """Cards and driver version out of what nvidia-smi answers: a line ``name, 9.0, 81559, 550.54.15`` for each card. Old
    drivers know no compute capability and say ``[N/A]`` or the like; lines that are no such answer are passed over."""
    cards, driver = [], None
    for line in told.splitlines():
        parts = [part.strip() for part in line.rsplit(",", 3)]
        if len(parts) != 4 or not re.fullmatch(r"\d+(\.\d+)+", parts[3]):
            continue
        name, capability, memory, driver = parts
        found = re.fullmatch(r"(\d+)\.(\d+)", capability)
        cards.append(
            Card(
                name,
                (int(found[1]), int(found[2])) if found else None,
                int(memory) * 1024**2 if memory.isdigit() else None,
            )
        )
    return tuple(cards), driver


def _cards_of_torch() -> tuple[Card, ...]:
    """The cards as torch tells them, where the management command is absent."""
    cards = []
    for number in range(torch.cuda.device_count()):
        seen = torch.cuda.get_device_properties(number)
        cards.append(Card(seen.name, (seen.major, seen.minor), int(seen.total_memory)))
    return tuple(cards)


def read_build() -> Build:
    """The torch that is installed, and whether it can use a card: asked by making a number there, since a card that is
    listed may still refuse to work."""
    complaint = ""
    sees = False
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # torch says as a warning why the driver does not serve
        try:
            sees = torch.cuda.is_available()
            if sees:
                float(torch.ones(1, device="cuda") + 1)
        except (RuntimeError, AssertionError) as error:
            sees, complaint = False, _first_line(str(error))
    if not sees and not complaint and said:
        complaint = _first_line(str(said[0].message))
    return Build(
        version=torch.__version__,
        cuda=torch.version.cuda,
        architectures=tuple(torch.cuda.get_arch_list()) if torch.version.cuda else (),
        cudnn=_cudnn(),
        sees_card=sees,
        complaint=complaint,
        mps=torch.backends.mps.is_available(),
        rocm=torch.version.hip is not None,
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def _cudnn() -> str | None:
    """Its version, which torch tells as one number: 91002 is 9.10.2, and 8902 was 8.9.2."""
    try:
        number = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]  # torch leaves it bare
    except RuntimeError:
        return None
    if number is None:
        return None
    major, rest = divmod(number, 10_000 if number >= 90_000 else 1000)
    return f"{major}.{rest // 100}.{rest % 100}"


def _card_on_bus(root: Path) -> bool:
    """True where an NVIDIA card is built in; told by the kernel, with or without a driver. Display controllers are of
    class 0x03: NVIDIA makes network cards, too."""
    for device in (root / "sys/bus/pci/devices").glob("*"):
        try:
            maker, kind = (device / "vendor").read_text().strip(), (device / "class").read_text().strip()
        except OSError:
            continue
        if maker == _NVIDIA and kind.startswith("0x03"):
            return True
    return (root / "proc/driver/nvidia/gpus").is_dir() and any((root / "proc/driver/nvidia/gpus").iterdir())


def _card_in_windows() -> bool:
    """True where Windows lists an NVIDIA card, with or without its driver."""
    asked = "(Get-CimInstance Win32_VideoController).Name"
    return "nvidia" in _said_by(["powershell", "-NoProfile", "-Command", asked]).casefold()


def _toolkit(root: Path, environment: Mapping[str, str]) -> Toolkit:
    home = next((environment[name] for name in _HOMES if environment.get(name)), None)
    on_path = shutil.which("nvcc", path=environment.get("PATH"))
    compiler = on_path or _compiler_in([Path(home)] if home else []) or _compiler_in(_usual_homes(root))
    told = re.search(r"release (\d+\.\d+)", _said_by([compiler, "--version"])) if compiler else None
    return Toolkit(compiler, told[1] if told else None, on_path is not None, home)


def _usual_homes(root: Path) -> list[Path]:
    """Where installers put the toolkit, the newest first."""
    places = [root / "usr/local/cuda", *sorted((root / "usr/local").glob("cuda-*"), reverse=True), root / "opt/cuda"]
    windows = root / "Program Files/NVIDIA GPU Computing Toolkit/CUDA"
    return [*places, *sorted(windows.glob("v*"), reverse=True)]


def _compiler_in(homes: Sequence[Path]) -> str | None:
    for home in homes:
        for name in ("nvcc", "nvcc.exe"):
            if (home / "bin" / name).is_file():
                return str(home / "bin" / name)
    return None


def _system(root: Path) -> System:
    name = platform.system()
    if name == "Linux":
        try:
            release = (root / "proc/sys/kernel/osrelease").read_text()
        except OSError:
            release = ""
        return System.WSL if "microsoft" in release.casefold() else System.LINUX
    return {"Windows": System.WINDOWS, "Darwin": System.MAC}.get(name, System.OTHER)


def processor_name(root: Path = Path("/")) -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = (root / "proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def usable_cores(root: Path = Path("/")) -> int:
    """Cores that this process may use: its affinity, and no more than its container's quota pays for (at least one)."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(root / "sys/fs/cgroup")
    return own if quota is None else max(1, min(own, round(quota)))


def cpu_quota(group: Path) -> float | None:
    """Cores that this control group (version 2, then 1) pays for, such as 1.5; None without a limit."""
    for read in (_quota_in_one_file, _quota_in_two_files):
        try:
            quota, period = read(group)
        except (OSError, ValueError):
            continue  # absent, or "max"
        if quota > 0 and period > 0:
            return quota / period
    return None


def _quota_in_one_file(group: Path) -> tuple[int, int]:
    quota, period = (group / "cpu.max").read_text().split()
    return int(quota), int(period)


def _quota_in_two_files(group: Path) -> tuple[int, int]:
    own = group / "cpu"
    return int((own / "cpu.cfs_quota_us").read_text()), int((own / "cpu.cfs_period_us").read_text())
