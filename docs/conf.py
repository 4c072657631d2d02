"""Sphinx configuration; `make docs` builds with warnings as errors."""

import importlib.metadata

project = "landloom"
author = "The landloom developers"
release = importlib.metadata.version("landloom")
extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
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
# Notebooks are run by the tests, on corpora that a build of the documentation does not have.
nb_execution_mode = "off"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
