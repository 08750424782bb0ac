"""Parts of warnings that the verdict recognises: such warnings are no caution."""

from __future__ import annotations

from ...wording import template

ONE_SIZE = template("one size without a distribution fits as well")
CORRELATED = template("are strongly correlated")
WITHIN_ERRORS = template("agree within their errors")
