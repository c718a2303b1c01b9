"""What holds for all tests."""

from __future__ import annotations

import os

# Nothing is found that other processes compiled, and nothing left: on that it depends from which
# step on a session runs compiled code.
os.environ["WORKBENCH_CACHE"] = ""

# A program for the interpreter that has TensorFlow, see there.
collect_ignore = ["peers/write_control_flow_graphs.py"]
