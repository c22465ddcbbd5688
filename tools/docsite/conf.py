# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx builds the documentation site; tools/site.py puts this beside the pages."""

project = "idmops.idm"
copyright = "2026, idmops.idm contributors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "furo"
html_title = "idmops.idm"
html_favicon = "icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# the headings' anchors of the Markdown pages, as other pages link to them
myst_heading_anchors = 4
smartquotes = False
# what the pages show of vaults and of Jinja in YAML is no language that a highlighter knows
suppress_warnings = ["misc.highlighting_failure"]
