"""What shows how functions are doing, put together: metrics and alarms in CloudWatch, traces in X-Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coldstart.cloud.api_metrics import ApiMetrics
from coldstart.cloud.event_targets import EventTargets
from coldstart.cloud.function_metrics import FunctionMetrics
from coldstart.cloud.function_traces import FunctionTraces
from coldstart.cloud.inline_trace_daemon import InlineTraceDaemon
from coldstart.cloud.metric_store import MetricStores
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.service_api import ServiceApi
from coldstart.cloud.trace_api import TraceApi
from coldstart.cloud.trace_daemon import TraceDaemon
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

if TYPE_CHECKING:
    from coldstart.cloud.alarms import Alarms, SendEvent
    from coldstart.cloud.queue_metrics import QueueMetrics


class Observability:
    """The metrics, alarms and traces of one account, from the moment it is made until :meth:`stop`.

    Args:
        is_inline: whether functions run in this interpreter.
    """

    def __init__(self, clock: Clock, account_id: str, *, is_inline: bool = False) -> None:
        self._stores = MetricStores()
        self.function_metrics = FunctionMetrics(self._stores, clock)
        """Measures functions."""
        self.api_metrics = ApiMetrics(self._stores, clock)
        """Measures APIs."""
        self._traces = TraceApi(clock, account_id)
        daemon = InlineTraceDaemon if is_inline else TraceDaemon
        self._daemon = daemon(self._traces.put_text)
        self._traces.before_read = self._daemon.take_arrived
        self.function_traces = FunctionTraces(self._traces.put, clock)
        """Makes Lambda's own segments."""
        self.xray = ServiceApi("xray", [self._traces])
        """X-Ray's API."""
        self._clock = clock
        self._account_id = account_id
        self._moto = Replacements()
        self._alarms: Alarms | None = None
        self._queue_metrics: QueueMetrics | None = None
        self._moto.when_loaded("moto.logs.models", self._take_over_logs)
        self._moto.when_loaded("moto.sqs.models", self._look_at_queues)

    def serve_cloudwatch(self, targets: EventTargets, send_event: SendEvent, identifiers: Identifiers) -> None:
        """Answer for metrics, and let alarms go off, from the first time that somebody asks for CloudWatch.

        Args:
            targets: through which the actions of alarms are done.
            send_event: puts an event on a region's default bus.
        """

        def take_over() -> None:
            from coldstart.cloud.alarms import Alarms
            from coldstart.cloud.cloudwatch_metrics import CloudWatchMetrics

            metrics = CloudWatchMetrics(self._stores, self._clock)
            metrics.attach(self._moto)
            self._alarms = Alarms(
                metrics, self._stores, targets, send_event, self._clock, identifiers, self._account_id
            )
            self._alarms.attach(self._moto)

        self._moto.when_loaded("moto.cloudwatch.models", take_over)

    def _take_over_logs(self) -> None:
        from coldstart.cloud.log_metrics import LogMetrics

        LogMetrics(self._stores, self._clock, self._account_id).attach(self._moto)

    def _look_at_queues(self) -> None:
        from coldstart.cloud.queue_metrics import QueueMetrics

        self._queue_metrics = QueueMetrics(self._stores, self._clock, self._account_id)

    def function_variables(self, region: str) -> dict[str, str]:
        """Return the environment variables that tell a function where the X-Ray daemon is.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        address = self._daemon.address(region)
        host, _, port = address.partition(":")
        return {
            "AWS_XRAY_DAEMON_ADDRESS": address,
            "_AWS_XRAY_DAEMON_ADDRESS": host,
            "_AWS_XRAY_DAEMON_PORT": port,
        }

    def empty_region(self, region: str) -> None:
        """Forget a region's metrics and traces."""
        self._stores.empty_region(region)
        if self._alarms is not None:
            self._alarms.empty_region(region)
        self._traces.empty_region(region)

    def stop(self) -> None:
        """Listen no longer, and give moto its own ways back."""
        self._daemon.stop()
        if self._queue_metrics is not None:
            self._queue_metrics.stop()
        self._moto.undo()
