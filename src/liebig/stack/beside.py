"""One number for each member beside tensors of any shape."""

from torch import Tensor


def beside(values: Tensor, tensor: Tensor) -> Tensor:
    """`values` [K] viewed so that it broadcasts against `tensor` [K, ...]."""
    return values.view(-1, *(1,) * (tensor.ndim - 1))
