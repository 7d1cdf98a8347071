"""How the documentation is built: `nox -s docs`."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "adaptive_exec"
author = "The adaptive_exec authors"
copyright = f"2026, {author}"  # noqa: A001  Sphinx wants this name
release = installed_version("adaptive-exec")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "adaptive_exec"
exclude_patterns = ["_build"]

napoleon_use_ivar = True  # else a property that the class docstring names is described twice
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True

nitpicky = True
# Names from outside: their documentation is not fetched, so that the build needs no network.
_STANDARD = (
    r"(asyncio|collections|concurrent|contextlib|multiprocessing|os|pathlib|queue|threading|types|typing)"
)
nitpick_ignore_regex = [
    (r"py:.*", rf"{_STANDARD}(\..*)?"),
    (r"py:.*", r"typing_extensions\..*"),
    (r"py:.*", r"(\w+\.)*_\w+(\.\w+)*"),
    # Type variables and what annotations abbreviate.
    (r"py:.*", r"(\w+\.)*_?[A-Z](_co|_contra)?(\.args|\.kwargs)?"),
    (r"py:exc", r"(CancelledError|Empty|Full)"),
    (r"py:class", r"(Any|Callable|Coroutine|Executor|Iterable|Iterator|Literal|Path|Self|optional)"),
]
