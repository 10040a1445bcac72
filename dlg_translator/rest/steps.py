"""The steps as routes: fill, unroll, partition, both, map. Graph in, graph out, nothing kept."""

from __future__ import annotations

from typing import Any

from dlg.http.answers import Answer
from dlg.http.asking import Asked
from dlg_translator.model.template import PhysicalTemplate
from dlg_translator.partition import PartitionedTemplate
from dlg_translator.partition.template import Template
from dlg_translator.rest import translating
from dlg_translator.rest.answers import as_document, as_specs
from dlg_translator.rest.manager import Manager
from dlg_translator.rest.service import Service

ISLAND_PORT = 8001


def lg_fill(service: Service, asked: Asked) -> Answer:
    """Return a logical graph with parameters filled in."""
    content, name = service.content(asked, "lg")
    return as_document(translating.fill(content, name, asked.object("parameters")))


def unroll(service: Service, asked: Asked) -> Answer:
    """Return the template of a logical graph."""
    return as_specs(_unroll(service, asked).iter_specs())


def partition(service: Service, asked: Asked) -> Answer:
    """Return a template divided into parts and islands."""
    content, name = service.content(asked, "pgt")
    return as_specs(_divide(translating.read_template(content, name), asked))


def unroll_and_partition(service: Service, asked: Asked) -> Answer:
    """Return the divided template of a logical graph."""
    return as_specs(_divide(_unroll(service, asked), asked))


def map_(service: Service, asked: Asked) -> Answer:
    """Return a divided template with a host for every drop."""
    content, name = service.content(asked, "pgt")
    divided = translating.divided_in(translating.read_template(content, name))
    nodes = asked.names("nodes")
    if not nodes:
        manager = Manager("http", asked.text("host") or "localhost", asked.whole("port"))
        nodes = [manager.host, *manager.nodes()]
    co_host = None if asked.values.get("co_host_dim") is None else asked.flag("co_host_dim")
    graph = translating.place(divided, nodes, asked.number("num_islands"), co_host_dim=co_host)
    return as_specs(graph.specs)


def _unroll(service: Service, asked: Asked) -> PhysicalTemplate:
    content, name = service.content(asked, "lg")
    return translating.unroll(
        content,
        name,
        asked.object("parameters"),
        asked.text("config"),
        oid_prefix=asked.text("oid_prefix") or "1",
        default_app=asked.text("default_app"),
        zero_run=asked.flag("zero_run"),
        strict=asked.flag("strict"),
        compat=asked.flag("compat"),
    )


def _divide(template: Template, asked: Asked) -> PartitionedTemplate:
    options: dict[str, Any] = {**asked.object("algo_params"), **asked.options}
    return translating.divide(
        template,
        asked.text("algorithm"),
        asked.number("num_partitions"),
        asked.whole("num_islands"),
        options,
    )
