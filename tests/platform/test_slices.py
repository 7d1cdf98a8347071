"""Short time slices: what is asked for, and that nothing else of the thread changes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from adaptive_exec.platform import slices
from adaptive_exec.platform.slices import ask_for_short_slices

_RELEASE = tuple(int(part) for part in os.uname().release.split(".")[:2]) if hasattr(os, "uname") else (0, 0)


def asked_in_a_thread() -> bool:
    """What asking returns in a thread of its own, so that the test's stays as it is."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(ask_for_short_slices()))
    thread.start()
    thread.join()
    return answers[0]


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, whose threads and policy are nobody else's."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.skipif(slices._CALLS is None, reason="needs Linux")
def test_the_slice_is_short_and_the_rest_as_it_was() -> None:
    """Policy and nice value are what they were; the thread that asked has the slice, and no other."""
    program = """
        import ctypes, os, threading
        from adaptive_exec.platform import slices

        def attributes():
            buffer = ctypes.create_string_buffer(48)
            assert not ctypes.CDLL(None).syscall(slices._CALLS[1], 0, buffer, 48, 0)
            return slices._ATTRIBUTES.unpack(buffer.raw)

        def asking():
            before = attributes()
            asked = slices.ask_for_short_slices()
            print(asked, before[1:4] == attributes()[1:4], attributes()[3], attributes()[5])

        os.nice(7)
        usual = attributes()
        thread = threading.Thread(target=asking)
        thread.start()
        thread.join()
        print(usual == attributes())
    """
    ended = run(program)

    asked, others_same, nice, length, untouched = ended.stdout.split()
    nicer = str(min(os.nice(0) + 7, 19))
    assert ["True", "True", nicer, "True"] == [asked, others_same, nice, untouched], ended.stderr
    if _RELEASE >= (6, 12):
        assert 100_000 == int(length)


def test_where_there_is_no_such_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is asked."""
    monkeypatch.setattr(slices, "_CALLS", None)

    assert not asked_in_a_thread()


@pytest.mark.skipif(slices._CALLS is None, reason="needs Linux")
def test_where_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter of system calls, as containers have them, makes it fail and nothing else."""
    monkeypatch.setattr(slices, "_CALLS", (100_000, 100_000))

    assert not asked_in_a_thread()


@pytest.mark.skipif(slices._CALLS is None, reason="needs Linux")
def test_a_policy_that_somebody_chose_is_left_alone() -> None:
    """`SCHED_IDLE` is no normal policy."""
    program = """
        import os
        from adaptive_exec.platform.slices import ask_for_short_slices
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        print(ask_for_short_slices(), os.sched_getscheduler(0) == os.SCHED_IDLE)
    """
    ended = run(program)

    assert "False True\n" == ended.stdout, ended.stderr
