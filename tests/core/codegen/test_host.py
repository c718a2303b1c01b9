"""What is found out about the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core.codegen import host
from workbench.core.codegen.target import AVX2, AVX512


@pytest.mark.parametrize(
    ("features", "target"),
    [
        ("+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512dq,+avx512vl", AVX512),
        ("+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512dq,-avx512vl", AVX2),
        ("+avx2,+fma,-f16c", None),
        ("+avx,+sse4.2", None),
        ("", None),
    ],
)
def test_targets(features: str, target: object) -> None:
    assert host.target_of(features) is target


def test_a_session_can_be_kept_on_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(host.TIER, "interpreted")
    assert host.obstacle() == "WORKBENCH_TIER=interpreted is set"
    monkeypatch.delenv(host.TIER)
    assert host.TIER not in (host.obstacle() or "")


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "250000 100000\n"}, 2.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu.max": "what is this"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container(
    files: dict[str, str], quota: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert host.quota(tmp_path) == quota
    monkeypatch.setattr(host, "processors", lambda: 8)
    monkeypatch.setattr(host, "quota", lambda: quota)
    assert host.threads() == {None: 8, 2.5: 2, 0.5: 1}[quota]


def test_without_llvmlite_there_is_an_obstacle() -> None:
    program = """
import sys
sys.modules["llvmlite"] = None
from workbench.core.codegen import host
print(host.obstacle())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("llvmlite cannot be imported")
