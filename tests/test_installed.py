"""Whose file it is: the standard library's, an installed package's, or the user's own."""

from __future__ import annotations

import json
import sysconfig
import unittest.mock
from pathlib import Path

import pytest

from adaptive_exec import installed
from adaptive_exec.installed import is_installed


@pytest.mark.parametrize("module", [json, unittest.mock, pytest])
def test_what_is_installed(module: object) -> None:
    """The standard library, and what pip has put beside it."""
    assert is_installed(str(getattr(module, "__file__", "")))


def test_what_is_nobodys(tmp_path: Path) -> None:
    """A file of the user's, one in a folder that is only named like the library's, and no file at all."""
    standard = sysconfig.get_path("stdlib")
    for file in (__file__, str(tmp_path / "mine.py"), f"{standard}-of-mine/job.py", "<stdin>", ""):
        assert not is_installed(file)


def test_it_is_what_sysconfig_says() -> None:
    """Which knows of every scheme, and takes long to load."""
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        assert is_installed(str(Path(sysconfig.get_path(name), "some.py"))), name


def test_the_folder_of_python_itself_is_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Windows lists it among them."""
    monkeypatch.setattr(
        "site.getsitepackages", lambda: [str(tmp_path), str(tmp_path / "Lib" / "site-packages")]
    )

    assert str(tmp_path / "Lib" / "site-packages" / "x.py").startswith(installed._places())
    assert not str(tmp_path / "job.py").startswith(installed._places())
