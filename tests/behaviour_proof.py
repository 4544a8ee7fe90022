"""Holds the table of behaviours to what really ran: a row whose test did not pass fails the run.

``tests/conftest.py`` registers this with pytest. After any run, a row's test that failed has failed the run by itself. After a run of
all tests, a row's test that was not there fails it too, and where nothing may be skipped (CI=true) one that was skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
_PREFIX = "tests/conformance/"
_NARROWING = ("keyword", "markexpr", "lf", "deselect", "collectonly", "ignore", "ignore_glob", "stepwise")
"""Options of pytest that leave tests out."""


class BehaviourProof:
    """Records what became of the tests that rows name, and judges at the end."""

    def __init__(self, config: pytest.Config, named: Iterable[str]) -> None:
        self._config = config
        self._outcomes: dict[str, set[str]] = {name: set() for name in named}
        self._unproven: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of one phase of one test."""
        # A parametrised test is proven when all its cases are; pytest-xdist writes a test's group behind its name.
        name = report.nodeid.removeprefix(_PREFIX).partition("[")[0].partition("@")[0]
        if name in self._outcomes and (report.when == "call" or not report.passed):
            self._outcomes[name].add(report.outcome)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run when rows are not proven by it."""
        is_worker = hasattr(session.config, "workerinput")
        if is_worker or session.shouldstop or session.shouldfail or not self._is_whole():
            return
        self._unproven = self.unproven(may_skip=os.environ.get("CI") != "true")
        if self._unproven and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the rows that are not proven."""
        if self._unproven:
            terminalreporter.section("rows of site/local-behaviour.yml without a passing test", red=True)
            for line in self._unproven:
                terminalreporter.line(line)

    def unproven(self, *, may_skip: bool) -> list[str]:
        """Return every named test that has not passed, as "name: what became of it"."""
        accepted = {"passed", "skipped"} if may_skip else {"passed"}
        return [
            f"{name}: {', '.join(sorted(outcomes)) or 'did not run'}"
            for name, outcomes in self._outcomes.items()
            if not outcomes or not outcomes <= accepted
        ]

    def _is_whole(self) -> bool:
        option = self._config.option
        if any(getattr(option, name, None) for name in _NARROWING):
            return False
        return any((self._config.invocation_params.dir / argument).resolve() == TESTS for argument in self._config.args)
