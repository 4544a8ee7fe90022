"""The metrics of APIs in CloudWatch's namespace AWS/ApiGateway, measured on real requests.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html (REST APIs, by name) and
http-api-metrics.html (HTTP APIs, by id, with other names for the same).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coldstart.cloud.metric_store import MetricStores, metric
from coldstart.runtime.clock import Clock

NAMESPACE = "AWS/ApiGateway"


@dataclass
class MeasuredRequest:
    """A request to an API that is being answered."""

    status: int = 200


class ApiMetrics:
    """Measures the requests to the APIs of one account."""

    def __init__(self, stores: MetricStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    @contextmanager
    def measure_rest(self, region: str, api_name: str, stage: str) -> Iterator[MeasuredRequest]:
        """Measure a request to a REST API; its status is told while it is answered."""
        yield from self._measure(region, {"ApiName": api_name}, stage, ("4XXError", "5XXError"))

    @contextmanager
    def measure_http(self, region: str, api_id: str, stage: str) -> Iterator[MeasuredRequest]:
        """Measure a request to an HTTP API."""
        yield from self._measure(region, {"ApiId": api_id}, stage, ("4xx", "5xx"))

    def _measure(
        self, region: str, api: dict[str, str], stage: str, errors: tuple[str, str]
    ) -> Iterator[MeasuredRequest]:
        request, started = MeasuredRequest(), self._clock.now()
        yield request
        values = {
            "Count": (1.0, "Count"),
            errors[0]: (float(400 <= request.status < 500), "Count"),
            errors[1]: (float(request.status >= 500), "Count"),
            "Latency": (round((self._clock.now() - started) * 1000), "Milliseconds"),
        }
        store = self._stores.write(region)
        for dimensions in (api, {**api, "Stage": stage}):
            for name, (value, unit) in values.items():
                store.add(metric(NAMESPACE, name, dimensions), started, [(value, 1)], unit)
        self._stores.changed(region)
