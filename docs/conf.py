"""Sphinx configuration; `make docs` builds with warnings as errors."""

import importlib.metadata

project = "landloom"
author = "The landloom developers"
release = importlib.metadata.version("landloom")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = "landloom"
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["_build"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# Docstrings name code in single backticks.
default_role = "code"
