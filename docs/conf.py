"""Sphinx: the pages of this folder, the tables of benchmarks/, the docstrings of the package."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))  # tables.py
BENCHMARKS = DOCS.parent / "benchmarks"

project = "sasnet"
author = "sasnet developers"
project_copyright = "sasnet developers"
release = version = version_of("sasnet_plugin")

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = False

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
#: MathML, which browsers draw themselves: the pages need no network.
html_math_renderer = "mathml"
html_title = f"sasnet {release}"


def _mathml(display):
    """Renderers of formulas, inline or on a line of their own."""

    def visit(translator, node):
        from docutils.nodes import SkipNode
        from latex2mathml.converter import convert

        formula = convert(node.astext(), display=display)
        block = display == "block"
        translator.body.append(f'<div class="math">{formula}</div>' if block else formula)
        raise SkipNode

    return visit, None


def _include_tables(app, page, source):
    """Replace the mark on the benchmarks page by an include of every committed table."""
    if page == "benchmarks":
        tables = (t.relative_to(BENCHMARKS) for t in sorted(BENCHMARKS.rglob("*.md")))
        includes = [
            f"```{{include}} ../benchmarks/{t}\n:heading-offset: 1\n:relative-images:\n```" for t in tables
        ]
        source[0] = source[0].replace("<!-- tables -->", "\n\n".join(includes))


def _make_tables(app, page, source):
    """Options and settings as the program has them, in place of their marks."""
    from tables import filled

    source[0] = filled(source[0])


def setup(app):
    app.add_html_math_renderer("mathml", _mathml("inline"), _mathml("block"))
    app.connect("source-read", _include_tables)
    app.connect("source-read", _make_tables)
