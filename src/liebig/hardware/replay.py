"""Work on a graphics processor recorded once and replayed, so that timing it does not time Python's asking for it."""

from __future__ import annotations

from collections.abc import Callable

import torch


def replayed(work: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """`work` as a CUDA graph, on the tensors that it holds; itself beside such a device, and where it cannot be recorded."""
    if device.type != "cuda":
        return work
    try:
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # of torch
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            work()
        torch.cuda.current_stream(device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
            work()
    except RuntimeError:
        torch.cuda.synchronize(device)
        return work
    return graph.replay
