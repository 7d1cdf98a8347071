"""Ctrl-C is held back where it must not strike, and never lost."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading

import pytest

from adaptive_exec.platform import interrupts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by os.kill")

HELD = """
import os, signal
from adaptive_exec.platform.interrupts import hold
log = []
held = hold()
assert held is not None
for _ in range({count}):
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        len(log)  # plenty of steps at which a handler could strike
assert held.came is {came}, held.came
log.append("whole")
try:
    held.release()
    log.append("released")
except KeyboardInterrupt:
    log.append("interrupted")
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
held.release()  # twice is once
try:
    os.kill(os.getpid(), signal.SIGINT)
    log.append("missed")
except KeyboardInterrupt:
    log.append("as before")
print(*log)
"""

OWN_HANDLER = """
import os, signal
from adaptive_exec.platform.interrupts import hold
calls = []
def mine(number, frame):
    calls.append(number)
signal.signal(signal.SIGINT, mine)
outer = hold()
inner = hold()
os.kill(os.getpid(), signal.SIGINT)
assert calls == [] and inner.came and not outer.came
inner.release()
assert calls == [] and outer.came, "the outer one holds it now"
outer.release()
assert signal.getsignal(signal.SIGINT) is mine
print(*calls)
"""

OTHERS = """
import os, signal
from adaptive_exec.platform.interrupts import hold
for name in ("SIGTERM", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGCHLD", "SIGWINCH"):
    number = getattr(signal, name)
    log = []
    def mine(number, frame):
        log.append(number)
        raise OSError
    signal.signal(number, mine)
    held = hold()
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert held.came and log == [], name
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    try:
        held.release()
    except OSError:
        log.append("raised")
    assert log == [number, "raised"], log
    assert signal.getsignal(number) is mine
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(number, signal.SIG_DFL)
print("done")
"""

SEVERAL = """
import os, signal
from adaptive_exec.platform.interrupts import hold
log = []
def ends(number, frame):
    log.append("ends")
    raise SystemExit(3)
signal.signal(signal.SIGTERM, ends)
held = hold()
os.kill(os.getpid(), signal.SIGINT)
os.kill(os.getpid(), signal.SIGTERM)
try:
    held.release()
except (KeyboardInterrupt, SystemExit) as error:
    log.append(type(error.__context__ or error).__name__)
print(*sorted(log))
"""

NOBODY_RAISES = """
import os, signal
from adaptive_exec.platform.interrupts import hold
signal.signal(signal.SIGINT, signal.{handler})
held = hold()
assert held is not None
assert signal.getsignal(signal.SIGINT) == signal.{handler}
held.release()
assert not held.came
print("done")
"""

HAMMER = """
import signal, sys, time
from adaptive_exec.platform.interrupts import hold
seen = due = raised = balance = 0
armed = False
def mine(number, frame):
    global seen, due, armed
    seen += 1
    if armed:  # only where it is caught below, and once
        armed = False
        due += 1
        raise KeyboardInterrupt
for number in ({signals}):
    signal.signal(number, mine)
print("ready", flush=True)
end = time.monotonic() + 10
while due < 200 and time.monotonic() < end:
    try:
        armed = True
        held = hold()
        try:
            balance += 1
            for _ in range(20):
                pass
            balance -= 1
        finally:
            held.release()
        armed = False
    except KeyboardInterrupt:
        raised += 1
as_before = all(signal.getsignal(number) is mine for number in ({signals}))
signal.pthread_sigmask(signal.SIG_BLOCK, [{signals}])  # until the end of the interpreter, too
print(balance, due - raised, as_before, due >= 200, flush=True)
"""


def run(source: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=30)
    assert "" == done.stderr
    assert 0 == done.returncode
    return done.stdout.strip()


@pytest.mark.parametrize(("count", "end"), [(0, "released"), (1, "interrupted"), (3, "interrupted")])
def test_held_back_and_delivered(count: int, end: str) -> None:
    """A Ctrl-C between `hold` and `release` is delivered by `release`, once; then all is as it was."""
    assert f"whole {end} as before" == run(HELD.format(count=count, came=count > 0))


def test_nested() -> None:
    """The inner one hands it to the outer one, which hands it to the user's handler."""
    assert "2" == run(OWN_HANDLER)


def test_other_handlers() -> None:
    """Handlers of other signals that may raise wait as well."""
    assert "done" == run(OTHERS)


def test_several_at_once() -> None:
    """Both are called, whichever raises first."""
    assert "SystemExit ends" == run(SEVERAL) or "KeyboardInterrupt ends" == run(SEVERAL)


def test_handlers_that_are_not_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be promised of those, and nothing is touched."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(interrupts, "_handler_of", lambda number: None)

    assert interrupts.hold() is None
    assert before is signal.getsignal(signal.SIGINT)


@pytest.mark.parametrize("handler", ["SIG_IGN", "SIG_DFL"])
def test_nobody_raises(handler: str) -> None:
    """An ignored or a default SIGINT runs no Python, so there is nothing to hold."""
    assert "done" == run(NOBODY_RAISES.format(handler=handler))


def test_not_in_the_main_thread() -> None:
    """Other threads run no handlers: nothing is changed there."""
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def check() -> None:
        held = interrupts.hold()
        assert held is not None
        seen.append(signal.getsignal(signal.SIGINT))
        held.release()
        seen.append(held.came)

    thread = threading.Thread(target=check)
    thread.start()
    thread.join(20)

    assert [before, False] == seen


def hammered(*signals: str) -> str:
    """What a program prints that holds and releases again and again while it gets these signals by turns."""
    program = HAMMER.replace("{signals}", "".join(f"signal.{name}, " for name in signals))
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        pause = threading.Event()
        for name in itertools.cycle(signals):
            if process.poll() is not None:
                break
            process.send_signal(getattr(signal, name))
            pause.wait(0.001)  # so that they come at moments of their own
        return process.stdout.readline()


def test_at_any_moment() -> None:
    """Two hundred Ctrl-C at moments of their own: none lost, none within, and the handler is always put back."""
    assert "0 0 True True\n" == hammered("SIGINT")


def test_at_any_moment_with_others() -> None:
    """The same with three signals whose handlers raise."""
    assert "0 0 True True\n" == hammered("SIGINT", "SIGTERM", "SIGALRM")
