"""Sphinx configuration; `make docs` builds with warnings as errors."""

from importlib.metadata import version

project = "landloom"
author = "The landloom developers"
release = version("landloom")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = "landloom"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
