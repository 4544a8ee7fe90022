"""Exceptions of which a notebook shows one line: who reads them did not write the code that a traceback would lead to."""

from __future__ import annotations


class SaidInOneLine(Exception):
    """An exception whose message says what was wrong and what to do; IPython shows it in place of a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Give IPython the lines to show (``IPython.core.interactiveshell.InteractiveShell.showtraceback``)."""
        return [f"{type(self).__name__}: {self}"]
