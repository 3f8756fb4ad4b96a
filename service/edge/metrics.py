"""What Prometheus is told: requests as they happen, the queue and the jobs as they stand when it asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from algorithms.errors import Unavailable
from jobs.store.store import Store

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Meter:
    """A meter holds one application's metrics, in a registry of its own."""

    def __init__(self, store: Store) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "brinell_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._latency = Histogram(
            "brinell_http_request_seconds",
            "From the first header to the last byte.",
            ["method", "route"],
            buckets=LATENCY_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Backlog(store))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Writes the metrics as Prometheus reads them. It blocks on the store."""
        return generate_latest(self._registry)


class _Backlog(Collector):
    """Read from the store at every scrape, so that every API process tells the same."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[GaugeMetricFamily]:
        """Known without asking the store, which may be down when the application starts."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            backlog = self._store.backlog()
        except Unavailable:
            yield GaugeMetricFamily("brinell_store_up", "1 where Redis answers.", 0)
            return
        yield GaugeMetricFamily("brinell_store_up", "1 where Redis answers.", 1)
        jobs = GaugeMetricFamily("brinell_jobs", "Jobs by state; ended ones since the beginning.", labels=["state"])
        for state, count in backlog.jobs.items():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily("brinell_queue_depth", "Chunks that no worker has taken.", backlog.chunks_waiting)
        yield GaugeMetricFamily("brinell_chunks_running", "Chunks being computed.", backlog.chunks_running)
