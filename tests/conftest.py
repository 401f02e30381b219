"""What holds for all tests."""

import os

# The networks of the tests are small: a second thread would only wait at barriers, and on a busy machine for long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
