"""Ask the device less often.

Does: says which call waits for the device in each step, and to make it every hundredth step or once an epoch.
Helps: a device that idles while Python reads a number from it.
Misleads: on the processor the wait costs little: what is slow there is printing.
Source: the CUDA programming guide: copies to the host wait for all work before them.
"""

from liebig.checks.host_sync import HostSync
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, text


class LogLessOften(Told):
    """Told with the call and its place."""

    name = "log-less-often"
    answers = (HostSync,)

    def advise(self, finding: Finding) -> str:
        call = text(finding, "call") or ".item()"
        return f"Make the call of {call}{at(finding)} every hundredth step, and add losses up as tensors until then."
