"""The REPORT line's figures agree with each other."""

from coldstart.runtime.platform_events import Report


def test_the_billed_duration_is_the_sum_of_the_figures_shown() -> None:
    report = Report("r", duration_ms=101.034, init_ms=245.974, memory_size=128, max_memory_used=14)
    assert "Duration: 101.03 ms\tBilled Duration: 347 ms" in report.line()
    assert "Init Duration: 245.97 ms" in report.line()
