"""The turns that functions take with one interpreter: one that cannot begin changes nothing, and the next one can."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from coldstart.runtime.inline_interpreter import Interior


def _interior(folder: Path) -> Interior:
    return Interior([], {"ORDER": "P-1042"}, folder, sys.stdout, time.sleep, lambda code: None, lambda *at: None)


def _state() -> tuple[object, ...]:
    return dict(sys.modules), dict(os.environ), sys.path[:], sys.meta_path[:], os.getcwd()


def test_a_turn_without_its_folder_changes_nothing_and_the_next_one_begins(tmp_path: Path) -> None:
    interior = _interior(tmp_path / "task")
    before = _state()
    with pytest.raises(FileNotFoundError), interior.turn():
        pass
    assert _state() == before
    (tmp_path / "task").mkdir()
    with interior.turn():
        inside = os.environ.get("ORDER"), os.getcwd()
    assert inside == ("P-1042", str(tmp_path / "task"))
    assert _state() == before


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nobody can be asked at each round of a loop before Python 3.12")
def test_a_turn_whose_loops_nobody_watches_does_not_begin(tmp_path: Path) -> None:
    interior = _interior(tmp_path)
    before = _state()
    sys.monitoring.use_tool_id(4, "a profiler of the learner's")  # type: ignore[attr-defined,unused-ignore]
    try:
        with pytest.raises(ValueError, match="in use"), interior.turn():
            pass
        assert _state() == before
    finally:
        sys.monitoring.free_tool_id(4)  # type: ignore[attr-defined,unused-ignore]
    with interior.turn():
        pass
    assert _state() == before
