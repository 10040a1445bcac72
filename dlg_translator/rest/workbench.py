"""What the page does: keep a graph, unroll it, divide it in several ways, compare, hand it on.

Each step answers with the id of what it made; drawings and files have addresses of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from dlg.http.answers import SVG, Answer, as_json
from dlg.http.asking import Asked
from dlg.http.errors import BadRequestError, told
from dlg_translator.formats.specs import pieces
from dlg_translator.partition import PartitionedTemplate
from dlg_translator.partition.template import Template
from dlg_translator.rest import describing, figures, translating
from dlg_translator.rest.algorithms import all_algorithms
from dlg_translator.rest.answers import as_specs
from dlg_translator.rest.manager import Manager, manager_at
from dlg_translator.rest.service import Service
from dlg_translator.rest.shelf import KeptGraph, KeptPartition, KeptTemplate

MOST_SHARES = 24


def library(service: Service, asked: Asked) -> Answer:
    """Return the graphs on the server, and what the page should propose."""
    del asked
    return as_json({
        "graphs": service.graphs.names(),
        "templates": service.templates.names(),
        "can_save": service.templates.is_there,
        "manager": service.options.manager,
    })  # fmt: skip


def algorithms(service: Service, asked: Asked) -> Answer:
    """Return all algorithms with their options."""
    del service, asked
    return as_json(all_algorithms())


# -- logical graphs ------------------------------------------------------------------------------


def keep_graph(service: Service, asked: Asked) -> Answer:
    """Keep a logical graph and tell what it is."""
    content, name = service.content(asked, "lg")
    name = name or asked.text("name") or "graph"
    if not describing.is_object(content):
        raise BadRequestError(
            "this is a list of drops, not a logical graph: open it as a template"
        )
    described = _described(content, name, "", "")
    key = service.shelf.put(KeptGraph(name=name, content=content))
    return as_json({**described, "id": key})


def show_graph(service: Service, asked: Asked) -> Answer:
    """Tell what a kept graph is, under one of its configurations."""
    key = asked.text("id")
    graph = service.shelf.get(key, KeptGraph)
    return as_json(_described(graph.content, graph.name, asked.text("config"), key))


def _described(content: bytes, name: str, config: str, key: str) -> dict[str, Any]:
    drawn = describing.drawn(translating.text_of(content), name)
    applied = translating.read_graph(content, name, config=config)
    return describing.describe_graph(drawn, applied, content, key)


def draw_graph(service: Service, asked: Asked) -> Answer:
    """Return the drawing of a kept graph."""
    graph = service.shelf.get(asked.text("id"), KeptGraph)
    drawn = describing.drawn(graph.content, graph.name)
    return Answer(translating.draw_logical(drawn).encode(), SVG)


def unroll_kept(service: Service, asked: Asked) -> Answer:
    """Unroll a kept graph and keep the template."""
    key = asked.text("id")
    graph = service.shelf.get(key, KeptGraph)
    template, seconds = translating.timed(
        lambda: translating.unroll(
            graph.content,
            graph.name,
            asked.object("parameters"),
            asked.text("config"),
            oid_prefix=asked.text("oid_prefix"),
            strict=asked.flag("strict"),
        )
    )
    made = keep_template(service, template, graph.name, key)
    return as_json({**made, "seconds": seconds})


# -- templates -----------------------------------------------------------------------------------


def open_template(service: Service, asked: Asked) -> Answer:
    """Keep a template that was written earlier, with the division it has, if it has one."""
    content, name = service.content(asked, "pgt")
    made, _ = open_written(service, content, name or asked.text("name") or "template")
    return as_json(made)


def open_written(
    service: Service, content: bytes, name: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Keep a written template; return what is told of it, and of its division if it has one."""
    template = translating.read_template(content, name)
    made = keep_template(service, template, name)
    if not template.specs[0].get("node"):
        return {**made, "partition": None}, None
    divided = translating.divided_in(template)
    partition = keep_partition(service, made["id"], divided, {"algorithm": "file"}, 0.0)
    return {**made, "partition": partition}, partition


def keep_template(
    service: Service, template: Template, name: str, graph: str = ""
) -> dict[str, Any]:
    """Keep a template and tell what it is."""
    svg, groups = translating.draw_template(template)
    kept = KeptTemplate(name=name, template=template, groups=groups, svg=svg, graph=graph)
    return template_told(service.shelf.put(kept), kept)


def show_template(service: Service, asked: Asked) -> Answer:
    """Tell what a kept template is."""
    key = asked.text("id")
    return as_json(template_told(key, service.shelf.get(key, KeptTemplate)))


def template_told(key: str, kept: KeptTemplate) -> dict[str, Any]:
    """Return what is told of a template."""
    template = kept.template
    apps = int(np.count_nonzero(template.is_app))
    return {
        "id": key,
        "name": kept.name,
        "graph": kept.graph,
        "drops": len(template),
        "apps": apps,
        "data": len(template) - apps,
        "links": len(template.edges[0]),
        "boxes": len(kept.groups[1]),
        "collapsed": len(kept.groups[1]) < len(template),
        "problems": told(template.warnings),
    }


def draw_template(service: Service, asked: Asked) -> Answer:
    """Return the drawing of a kept template."""
    return Answer(service.shelf.get(asked.text("id"), KeptTemplate).svg.encode(), SVG)


def template_file(service: Service, asked: Asked) -> Answer:
    """Return the dropspecs of a kept template."""
    kept = service.shelf.get(asked.text("id"), KeptTemplate)
    return as_specs(kept.template.specs, f"{_stem(kept.name)}.pgt.json")


# -- divisions -----------------------------------------------------------------------------------


def divide_kept(service: Service, asked: Asked) -> Answer:
    """Divide a kept template and keep the division."""
    key = asked.text("id")
    kept = service.shelf.get(key, KeptTemplate)
    parts, islands = asked.number("parts"), asked.whole("islands")
    algorithm, options = asked.text("algorithm"), asked.object("options")
    divided, seconds = translating.timed(
        lambda: translating.divide(kept.template, algorithm, parts, islands, options)
    )
    wanted = {"algorithm": algorithm, "parts": parts, "islands": islands, **options}
    return as_json(keep_partition(service, key, divided, wanted, seconds))


def keep_partition(
    service: Service,
    template: str,
    divided: PartitionedTemplate,
    options: dict[str, object],
    seconds: float,
) -> dict[str, Any]:
    """Keep a division and tell what it is."""
    drawn = service.shelf.get(template, KeptTemplate)
    kept = KeptPartition(
        name=drawn.name,
        template=template,
        drawn=drawn,
        partitioned=divided,
        options=options,
        seconds=seconds,
    )
    return partition_told(service.shelf.put(kept), kept)


def show_partition(service: Service, asked: Asked) -> Answer:
    """Tell what a kept division is."""
    key = asked.text("id")
    return as_json(partition_told(key, service.shelf.get(key, KeptPartition)))


def partition_told(key: str, kept: KeptPartition) -> dict[str, Any]:
    """Return what is told of a division: figures, sizes of parts, the parts of each box."""
    divided = kept.partitioned
    drops = np.bincount(divided.node_of, minlength=divided.num_parts)
    load = np.bincount(
        divided.node_of, weights=divided.dag.node_weight, minlength=divided.num_parts
    )
    before = len(kept.drawn.template.warnings)
    return {
        "id": key,
        "name": kept.name,
        "template": kept.template,
        "asked": kept.options,
        "seconds": kept.seconds,
        "objectives": divided.objectives.to_dict(),
        "parts": [
            {"part": k, "island": int(island), "drops": int(drops[k]), "load": float(load[k])}
            for k, island in enumerate(divided.island_of_part.tolist())
        ],
        "boxes": translating.shares(divided, kept.drawn.groups, MOST_SHARES),
        "problems": told(divided.warnings[before:]),
    }


def partition_file(service: Service, asked: Asked) -> Answer:
    """Return the dropspecs of a kept division."""
    kept = service.shelf.get(asked.text("id"), KeptPartition)
    name = f"{_stem(kept.name)}.{kept.partitioned.algo}.pgt.json"
    return as_specs(kept.partitioned, name)


def partition_gantt(service: Service, asked: Asked) -> Answer:
    """Return when what runs in which part."""
    kept = service.shelf.get(asked.text("id"), KeptPartition)
    return as_json(figures.gantt(kept.partitioned))


def save_partition(service: Service, asked: Asked) -> Answer:
    """Write a kept division to the folder of templates."""
    kept = service.shelf.get(asked.text("id"), KeptPartition)
    text = b"".join(pieces(kept.partitioned))
    service.templates.write(asked.text("pgt_name"), text, new=True)
    return as_json({"saved": asked.text("pgt_name"), "bytes": len(text)})


def map_kept(service: Service, asked: Asked) -> Answer:
    """Return a kept division with a host for every drop."""
    kept = service.shelf.get(asked.text("id"), KeptPartition)
    co_host = None if asked.values.get("co_host_dim") is None else asked.flag("co_host_dim")
    graph = translating.place(
        kept.partitioned, asked.names("nodes"), asked.number("islands"), co_host_dim=co_host
    )
    return as_specs(graph.specs, f"{_stem(kept.name)}.pg.json")


def submit_kept(service: Service, asked: Asked) -> Answer:
    """Map a kept division to the nodes of a manager and run it there."""
    kept = service.shelf.get(asked.text("id"), KeptPartition)
    manager = manager_at(asked.text("manager"))
    session = asked.text("session") or new_session(kept.name)
    graph = deploy(kept.partitioned, manager, session, asked.names("nodes"))
    return as_json({
        "session": session,
        "manager": manager.url,
        "page": manager.session_page(session),
        "nodes": graph,
        "drops": len(kept.partitioned),
    })  # fmt: skip


def deploy(
    divided: PartitionedTemplate, manager: Manager, session: str, nodes: list[str]
) -> list[str]:
    """Run a division on a manager; return the nodes it was mapped to.

    Without `nodes` the manager's own are used. Its islands, as many as the division has, come
    first; where there are fewer, parts share them.
    """
    islands = manager.islands()[: divided.num_islands]
    nodes = nodes or manager.nodes()
    if not nodes:
        raise BadRequestError(
            f"the manager {manager.url} has no nodes yet: start some, or name them"
        )
    graph = translating.place(divided, [*islands, *nodes], len(islands), co_host_dim=False)
    manager.submit(session, graph.specs, roots_of(divided.template))
    return nodes


def roots_of(template: Template) -> list[str]:
    """Return the oids of the drops that wait for nothing."""
    waits = np.zeros(len(template), np.bool_)
    waits[template.edges[1]] = True
    return [str(template.spec(row)["oid"]) for row in np.flatnonzero(~waits).tolist()]


def new_session(name: str) -> str:
    """Return a name for a session that nobody has used."""
    return f"{_stem(name)}_{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0] or "graph"
