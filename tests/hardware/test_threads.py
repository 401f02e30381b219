"""The number of threads follows the machine."""

import torch

from liebig.hardware.threads import Threads


def test_all_or_one_and_all_again_at_the_end():
    before = torch.get_num_threads()
    with Threads() as threads:
        assert threads.choose() in {1, before}
        assert torch.get_num_threads() in {1, before}
    assert torch.get_num_threads() == before


def test_one_thread_is_not_measured(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    assert Threads().choose() == 1
