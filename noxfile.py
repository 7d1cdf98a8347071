"""What is run on every change: `nox` alone runs lint, types, docs and tests.

`nox -l` lists the rest. What follows `--` goes to pytest; two words are for this file:

    nox -s tests-3.13 -- --everything    all tests, not only those that differ from Python to Python
    nox -s tests-3.13 -- --prebuilt      test the files that lie in dist/ instead of building them
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tarfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.10"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # a Python that isn't here is skipped, in one line
nox.options.sessions = ["lint", "types", "docs", "tests"]

DIST = Path("dist")
PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.13t", "3.14t"]


def _full_python() -> str:
    """The Python that runs every test: the oldest supported one, or the newest there is."""
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    mine += "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    found = [version for version in PYTHONS if version == mine or shutil.which(f"python{version}")]
    return "3.11" if "3.11" in found else max(found, key=lambda v: int(v[2:].rstrip("t")), default=mine)


FULL = _full_python()
# The full run comes last, so that what stands last on the screen is its summary.
TESTED = [version for version in PYTHONS if version != FULL] + [FULL]


def _options(session: nox.Session) -> tuple[list[str], set[str]]:
    """Split what follows `--` into words for pytest and words for this file."""
    ours = {"--everything", "--prebuilt"}
    return [word for word in session.posargs if word not in ours], ours & set(session.posargs)


def _install_wheel(session: nox.Session, extra: str) -> Path:
    """Install the built wheel and return a fresh copy of the sdist from which `src` is gone."""
    (wheel,) = DIST.glob("*.whl")
    (sdist,) = DIST.glob("*.tar.gz")
    session.install("--prefer-binary", f"{wheel.resolve()}[{extra}]")  # not everything has wheels for 3.13t
    copy = Path(session.create_tmp()).resolve() / "sdist"
    shutil.rmtree(copy, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(copy, filter="data")
    (tree,) = copy.iterdir()
    shutil.rmtree(tree / "src")
    return tree


def _pytest(session: nox.Session, tree: Path, *args: str, success_codes: tuple[int, ...] = (0,)) -> None:
    session.chdir(tree)
    session.run("python", "-c", "import adaptive_exec as a; assert 'site-packages' in a.__file__, a.__file__")
    session.run("python", "-m", "pytest", *args, success_codes=success_codes)


def _limit(seconds: int) -> list[str]:
    """Pytest's options for tests that may take so long."""
    return [f"--timeout={seconds}", "-o", f"faulthandler_timeout={seconds + 60}"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    dev = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]["dev"]
    session.install(*(requirement for requirement in dev if requirement.startswith("ruff")))
    session.run("ruff", "check", "--no-cache")
    session.run("ruff", "format", "--check", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy over all, pyright over what a user of the library writes."""
    session.install("-e", ".[dev]")
    session.run("mypy", "--strict")
    session.run("pyright", "--pythonpath", str(Path(session.bin, "python")), "tests/typing")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a broken reference fails."""
    session.install(".[docs]")
    out = Path(session.create_tmp()) / "html"
    session.run("sphinx-build", "-W", "-n", "-q", "--keep-going", "-E", "-b", "html", "docs", str(out))


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist, and the wheel from it, into dist/."""
    if "--prebuilt" in session.posargs:
        return
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(DIST), silent=True)


@nox.session(python=TESTED, requires=["build"])
def tests(session: nox.Session) -> None:
    """Test the built wheel: everything on one Python, on the others what may differ there."""
    posargs, ours = _options(session)
    everything = session.python == FULL or "--everything" in ours
    tree = _install_wheel(session, "dev" if everything else "tests")
    chosen = "not stress and not soak" if everything else "not full and not stress and not soak"
    _pytest(session, tree, "-m", chosen, *posargs)


@nox.session(
    python=[version for version in TESTED if version.endswith("t") or version == FULL], requires=["build"]
)
def stress(session: nox.Session) -> None:
    """Hammer the races for a while, with and without the GIL."""
    posargs, _ = _options(session)
    tree = _install_wheel(session, "tests")
    _pytest(
        session,
        tree,
        "-m",
        "stress",
        "--timeout=600",
        "-o",
        "faulthandler_timeout=0",
        *posargs,
        success_codes=(0, 5),
    )


@nox.session(python=FULL, requires=["build"])
def soak(session: nox.Session) -> None:
    """Run for minutes and watch that nothing grows."""
    posargs, _ = _options(session)
    tree = _install_wheel(session, "tests")
    _pytest(
        session,
        tree,
        "-m",
        "soak",
        "--timeout=3600",
        "-o",
        "faulthandler_timeout=0",
        *posargs,
        success_codes=(0, 5),
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with the standard library and others: `nox -s bench -- NAME [OPTIONS]`, or all of them."""
    session.install("--prefer-binary", ".[bench]")
    helpers = {"harness", "processes_host", "processes_work", "routing_corpus"}
    here = sorted(path.stem for path in Path("bench").glob("*.py") if path.stem not in helpers)
    name, *options = session.posargs or [""]
    if name and name not in here:
        session.error(f"no such bench: {name}; there are {', '.join(here)}")
    for stem in [name] if name else here:
        session.run("python", os.path.join("bench", f"{stem}.py"), *options)
