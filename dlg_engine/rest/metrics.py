"""The figures of a manager in the form of Prometheus.

Nothing is counted for each drop: what there is is looked at when somebody asks. The only owner of
`prometheus_client`, which is an extra.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.exceptions import MissingExtraError, NoSessionException
from dlg.http.answers import Answer
from dlg.http.asking import Asked
from dlg.http.routes import Route
from dlg.http.traffic import BOUNDS_S, Traffic
from dlg.rpc import Answerer
from dlg_engine.managers.node import Node
from dlg_engine.rest.service import CompositeService, ManagerService, NodeService
from dlg_engine.sessions.states import SessionStates

Labels = tuple[str, ...]
Labelled = Mapping[Labels, float]
KIND = "text/plain; version=0.0.4; charset=utf-8"


def route(traffic: Callable[[], Traffic], answerer: Callable[[], Answerer | None]) -> Route[Any]:
    """Return the route that tells the figures."""

    def metrics(service: ManagerService, _asked: Asked) -> Answer:
        """Tell the figures of this manager, for Prometheus."""
        figures = Figures(_prometheus(), service, traffic(), answerer())
        return Answer(figures.text(), KIND)

    return Route("GET", "/metrics", metrics, tag="manager", kind=KIND)


def _prometheus() -> Any:
    try:
        import prometheus_client  # noqa: PLC0415  an extra
        import prometheus_client.core  # noqa: PLC0415  likewise
    except ImportError as error:
        raise MissingExtraError("prometheus_client", "metrics") from error
    return prometheus_client


class Figures:
    """What a manager can tell in figures at the moment."""

    def __init__(
        self, client: Any, service: ManagerService, traffic: Traffic, answerer: Answerer | None
    ) -> None:
        self._core, self._client = client.core, client
        self._service, self._traffic, self._answerer = service, traffic, answerer

    def text(self) -> bytes:
        """Return them as they are told."""
        registry = self._client.CollectorRegistry()
        self._client.ProcessCollector(registry=registry)
        registry.register(self)
        return bytes(self._client.generate_latest(registry))

    def collect(self) -> Iterator[Any]:
        """Yield all figures."""
        yield self._gauge("dlg_info", "The version.", ["version"], {(version("dlg"),): 1})
        yield from self._requests()
        yield from self._sessions()
        if self._answerer is not None:
            yield from self._calls(self._answerer)
        service = self._service
        if isinstance(service, NodeService):
            yield from self._node(service.node)
        if isinstance(service, CompositeService):
            roster = service.manager.roster
            below: Labelled = {("node",): len(roster.nodes), ("called",): len(roster.children)}
            yield self._gauge("dlg_below", "Nodes below, and managers called.", ["kind"], below)

    def _sessions(self) -> Iterator[Any]:
        manager = self._service.manager
        states: Counter[Labels] = Counter({(state.name,): 0 for state in SessionStates})
        for one in _sessions_of(manager):
            states[one.state.name,] += 1
        yield self._gauge("dlg_sessions", "Sessions by their state.", ["state"], states)

    def _node(self, node: Node) -> Iterator[Any]:
        drops: Counter[Labels] = Counter({(state.name,): 0 for state in DROPStates})
        running = 0
        for one in _sessions_of(node.manager):
            live = one.live
            if live is None:
                continue
            status, apps = bytes(live.flow.status), bytes(live.flow.exec_status)
            for state in DROPStates:
                drops[state.name,] += status.count(state)
            running += max(0, apps.count(AppDROPStates.RUNNING) - live.handed_out)
        text = "Drops of deployed sessions by their state, with those that stand in for others."
        yield self._gauge("dlg_drops", text, ["state"], drops)
        yield self._gauge("dlg_apps_running", "Apps that run.", [], {(): running})
        yield from self._links(node)
        text = "Bytes of data sent to other nodes."
        yield self._counter("dlg_data_sent_bytes", text, [], {(): node.data.sent_bytes})

    def _links(self, node: Node) -> Iterator[Any]:
        links = node.events.figures()
        for name, text, place in (
            ("dlg_events_sent", "News sent to another node that have arrived there.", 0),
            ("dlg_events_received", "News taken from another node.", 2),
        ):
            yield self._counter(name, text, ["node"], {(n,): f[place] for n, f in links.items()})
        waiting: Labelled = {(other,): found[1] for other, found in links.items()}
        text = "News for another node that are not known to have arrived."
        yield self._gauge("dlg_events_waiting", text, ["node"], waiting)

    def _calls(self, answerer: Answerer) -> Iterator[Any]:
        for name, text, found in (
            ("dlg_rpc_calls", "Calls from other managers that were carried out.", answerer.calls),
            ("dlg_rpc_failures", "Those that ended in an error.", answerer.failures),
        ):
            counts: Labelled = {(method,): count for method, count in list(found.items())}
            yield self._counter(name, text, ["method"], counts)

    def _requests(self) -> Iterator[Any]:
        names = ["method", "route", "status"]
        spent = self._core.HistogramMetricFamily(
            "dlg_http_request_seconds", "Seconds until an answer had gone.", labels=names
        )
        received: dict[Labels, float] = {}
        sent: dict[Labels, float] = {}
        for (method, path, status), one in self._traffic:
            labels = (method, path, str(status))
            spent.add_metric(labels, _cumulative(one.buckets), one.spent_s)
            received[labels], sent[labels] = one.received, one.sent
        yield spent
        text = "Bytes of bodies that came, as they were packed."
        yield self._counter("dlg_http_received_bytes", text, names, received)
        yield self._counter("dlg_http_sent_bytes", "Bytes of answers.", names, sent)

    def _gauge(self, name: str, text: str, labels: list[str], values: Labelled) -> Any:
        family = self._core.GaugeMetricFamily(name, text, labels=labels)
        return _filled(family, values)

    def _counter(self, name: str, text: str, labels: list[str], values: Labelled) -> Any:
        family = self._core.CounterMetricFamily(name, text, labels=labels)
        return _filled(family, values)


def _filled(family: Any, values: Labelled) -> Any:
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _cumulative(buckets: Iterable[int]) -> list[tuple[str, int]]:
    """Return how many answers took at most so long, in the form of Prometheus."""
    found, total = [], 0
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), buckets, strict=True):
        total += count
        found.append((bound, total))
    return found


def _sessions_of(manager: Any) -> Iterator[Any]:
    for one in manager.session_ids:
        try:
            yield manager.session(one)
        except NoSessionException:  # gone meanwhile
            continue
