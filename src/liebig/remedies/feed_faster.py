"""Feed the device faster.

Does: says how long a step waits for its batch, and to load with several workers, to keep decoded data, or to hold it on the device.
Helps: training that waits for its data.
Misleads: workers cost memory and start-up; data that fit into memory need none of them.
Source: the documentation of torch.utils.data.DataLoader.
"""

from liebig.checks.loader_bound import LoaderBound
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, number


class FeedFaster(Told):
    """Told with the workers in use."""

    name = "feed-faster"
    answers = (LoaderBound,)

    def advise(self, finding: Finding) -> str:
        wait, workers = number(finding, "wait"), number(finding, "workers")
        waits = f" (a step waits {wait:.3g} ms)" if wait is not None else ""
        more = (
            "Decode the data once and hold them in memory" if workers else "Load with workers (num_workers=2 and more)"
        )
        return f"{more}, with pin_memory and persistent_workers where a GPU waits{at(finding)}{waits}."
