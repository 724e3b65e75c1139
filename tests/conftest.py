"""What all tests share: anyio on asyncio, and how many examples Hypothesis tries."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

os.environ["LC_ALL"] = "C.UTF-8"  # reports are ASCII in the locale C, wherever the tests run

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs them under nohup means them, not what they start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # and who runs them in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The machine that runs them may be slow: an example takes the time that it takes.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", settings.get_profile("ci"), derandomize=False)
settings.register_profile("fuzz", settings.get_profile("dev"), max_examples=int(os.environ.get("EXAMPLES", "5000")))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Every async test runs on asyncio, the only backend that pomprobe uses."""
    return "asyncio"
