"""What is done when a module is imported: once, in time, and without a trace."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.platform.imports import when_imported


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that nobody has imported; the table of modules is as before afterwards."""
    folder = tmp_path / "fresh_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("value = 1\n", encoding="utf-8")
    (folder / "part.py").write_text("value = 2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    importlib.invalidate_caches()
    yield folder
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.partition(".")[0] == "fresh_package"]:
        del sys.modules[name]


def loaded(name: str) -> Any:
    """The module, imported."""
    return importlib.import_module(name)


def test_what_is_there_already_counts_at_once() -> None:
    """And nobody looks out for it."""
    seen: list[int] = []
    finders = list(sys.meta_path)
    when_imported("sys", lambda: seen.append(1))

    assert [1] == seen
    assert finders == sys.meta_path


@pytest.mark.parametrize("name", ["fresh_package", "fresh_package.part"])
def test_it_is_done_inside_the_import_and_once(package: Path, name: str) -> None:
    """When whoever imports goes on it has been done, and the module's own code has run before."""
    finders = list(sys.meta_path)
    seen: list[Any] = []
    when_imported(name, lambda: seen.append(sys.modules[name].value))
    loaded("fresh_package.part")

    assert [1 if name == "fresh_package" else 2] == seen
    assert finders == sys.meta_path

    del sys.modules[name]
    loaded(name)
    assert 1 == len(seen)


def test_the_module_has_its_own_loader(package: Path) -> None:
    """Whoever asks for its source, its path or a reload gets the same as ever."""
    plain = loaded("fresh_package.part")
    del sys.modules["fresh_package.part"]
    when_imported("fresh_package.part", list)
    watched = loaded("fresh_package.part")

    assert type(plain.__loader__) is type(watched.__loader__) is type(watched.__spec__.loader)
    assert plain.__spec__ == watched.__spec__
    assert importlib.reload(watched) is watched


def test_an_import_that_fails_does_not_count(package: Path) -> None:
    """The error is the module's own, and the next import is another one."""
    seen: list[int] = []
    (package / "part.py").write_text("raise ValueError('not yet')\n", encoding="utf-8")
    when_imported("fresh_package.part", lambda: seen.append(1))
    with pytest.raises(ValueError, match="not yet"):
        loaded("fresh_package.part")
    assert [] == seen

    (package / "part.py").write_text("value = 'at last'\n", encoding="utf-8")
    loaded("fresh_package.part")
    assert [1] == seen


def test_what_is_nowhere_stays_nowhere(package: Path) -> None:
    """The error is the usual one."""
    when_imported("fresh_package.nowhere", list)
    with pytest.raises(ModuleNotFoundError):
        loaded("fresh_package.nowhere")


def test_what_it_raises_the_import_raises(package: Path) -> None:
    """It is not lost."""

    def fail() -> None:
        raise RuntimeError("can't be set")

    when_imported("fresh_package", fail)
    with pytest.raises(RuntimeError, match="can't be set"):
        loaded("fresh_package")


def test_it_may_import_the_module_and_others(package: Path) -> None:
    """What is done may itself wait for another import."""
    seen: list[Any] = []
    when_imported("fresh_package.part", lambda: seen.append("part"))
    when_imported("fresh_package", lambda: seen.append(loaded("fresh_package.part").value))
    loaded("fresh_package")

    assert ["part", 2] == seen


def test_somebody_goes_through_the_finders(package: Path) -> None:
    """Whoever has begun to ask them misses none when one of them steps back."""
    when_imported("fresh_package", list)
    going = iter(sys.meta_path)
    asked = [next(going)]
    loaded("fresh_package")
    asked += going

    assert asked[1:] == sys.meta_path


def test_two_threads_import_it(package: Path) -> None:
    """The second waits at the module's lock until all is done, and finds it done."""
    (package / "part.py").write_text(
        "import fresh_package\nfresh_package.inside.set()\nfresh_package.go_on.wait(20)\n", encoding="utf-8"
    )
    parent = loaded("fresh_package")
    parent.inside, parent.go_on = threading.Event(), threading.Event()
    seen: list[int] = []
    found: list[int] = []
    when_imported("fresh_package.part", lambda: seen.append(1))

    def take() -> None:
        loaded("fresh_package.part")
        found.append(len(seen))

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert parent.inside.wait(20)
    assert [] == seen
    parent.go_on.set()
    for thread in threads:
        thread.join(20)

    assert [1] == seen
    assert [1, 1] == found
