"""Machines as they were recorded, by name: what advice is tested on, and what the page about CUDA is tested to agree with."""

from __future__ import annotations

from dataclasses import replace

from liebig.hardware.facts import Build, Card, Facts, System, Toolkit

CPU_BUILD = Build("2.13.0+cpu")
CU130 = Build(
    "2.13.0+cu130", "13.0", ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"), "9.13.0", True
)
CU126 = Build("2.13.0+cu126", "12.6", ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"), "9.10.2", True)
H100 = Card("NVIDIA H100 80GB HBM3", (9, 0), 81559 << 20)
RTX_3060 = Card("NVIDIA GeForce RTX 3060", (8, 6), 12288 << 20)
RTX_5090 = Card("NVIDIA GeForce RTX 5090", (12, 0), 32607 << 20)
GTX_1080 = Card("NVIDIA GeForce GTX 1080", (6, 1), 8192 << 20)
K80 = Card("Tesla K80", (3, 7), 11441 << 20)

NO_CARD = Facts(System.LINUX, "AMD EPYC", 2, 2, 24 << 30, CPU_BUILD)
WORKING = replace(NO_CARD, cards=(H100,), card_on_bus=True, driver="580.95.05", build=CU130)


def blind(build: Build, complaint: str = "") -> Build:
    """A build for CUDA that cannot use the card."""
    return replace(build, sees_card=False, complaint=complaint)


MACHINES: dict[str, Facts] = {
    "no card": NO_CARD,
    "everything works": WORKING,
    "card without driver": replace(NO_CARD, card_on_bus=True, build=blind(CU130)),
    "card without driver, Windows": replace(NO_CARD, system=System.WINDOWS, card_on_bus=True),
    "card without driver, WSL": replace(NO_CARD, system=System.WSL, card_on_bus=True),
    "driver too old for the build": replace(
        WORKING, cards=(RTX_3060,), driver="550.54.15",
        build=blind(CU130, "The NVIDIA driver on your system is too old (found version 12040)."),
    ),
    "driver too old for every build": replace(WORKING, cards=(RTX_3060,), driver="470.256.02", build=blind(CU126)),
    "build for processors alone": replace(WORKING, cards=(RTX_3060,), build=CPU_BUILD),
    "build for processors alone, old driver": replace(WORKING, cards=(RTX_3060,), driver="535.183.01", build=CPU_BUILD),
    "build for processors alone, old driver, new card": replace(
        WORKING, cards=(RTX_5090,), driver="570.86.10", build=CPU_BUILD
    ),
    "build for processors alone, Windows": replace(
        WORKING, system=System.WINDOWS, cards=(RTX_3060,), driver="581.29", build=CPU_BUILD
    ),
    "card newer than the build": replace(WORKING, cards=(RTX_5090,), build=CU126),
    "card older than the build": replace(WORKING, cards=(GTX_1080,), build=CU130),
    "card older than all builds": replace(WORKING, cards=(K80,), driver="470.256.02", build=blind(CU126)),
    "card hidden": replace(WORKING, build=blind(CU130), hidden_by="-1"),
    "driver and card do not match": replace(WORKING, build=blind(CU130, "CUDA unknown error")),
    "toolkit not on the path": replace(
        WORKING, toolkit=Toolkit("/usr/local/cuda-13.0/bin/nvcc", "13.0", on_path=False, home=None)
    ),
    "toolkit without CUDA_HOME": replace(WORKING, toolkit=Toolkit("/usr/local/cuda/bin/nvcc", "13.0", on_path=True)),
    "Windows without card": replace(NO_CARD, system=System.WINDOWS),
    "Mac": replace(NO_CARD, system=System.MAC, apple_silicon=True, build=replace(CPU_BUILD, mps=True)),
    "Mac without Metal": replace(NO_CARD, system=System.MAC, apple_silicon=True),
    "Intel Mac": replace(NO_CARD, system=System.MAC),
    "Colab without a card": replace(NO_CARD, colab=True, build=blind(CU126)),
}  # fmt: skip
