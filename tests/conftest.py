"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Nothing is found that other processes compiled, and nothing left: on that it depends from which
# step on a session runs compiled code.
os.environ["WORKBENCH_CACHE"] = ""

# How long an example takes says what else the machine does.
settings.register_profile(
    "workbench", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("workbench")

# A program for the interpreter that has TensorFlow, see there.
collect_ignore = ["peers/write_control_flow_graphs.py"]
