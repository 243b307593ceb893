"""Speed and memory, measured; apart from the tests."""

import memory_core  # noqa: F401  before numpy: it says how threads wait
