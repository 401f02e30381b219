"""Array types used in signatures. Shapes are given in the docstrings."""

import numpy as np
from numpy.typing import NDArray

#: Row numbers of a task, int64 [n].
Rows = NDArray[np.int64]
#: Real values, float64.
Reals = NDArray[np.float64]
#: Predictions, float32. Binary: [n], probability of the second class. Multiclass: [n, classes], rows sum to 1.
#: Regression: [n] (a forecast: [n, steps]), in the target's own unit. Places: [n, 4], what `core.places` keeps of an answer.
Predictions = NDArray[np.float32]
