"""The routes of the existing translator, as the EAGLE editor and older clients call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.exceptions import DaliugeException
from dlg.http.answers import HTML, Answer, as_json
from dlg.http.asking import Asked
from dlg.http.errors import BadRequestError, MethodError, NotFoundError
from dlg_translator import web
from dlg_translator.formats import is_logical_graph
from dlg_translator.formats.document import parse
from dlg_translator.partition import PartitionedTemplate
from dlg_translator.rest import figures, translating, workbench
from dlg_translator.rest.answers import as_specs
from dlg_translator.rest.errors import describe, status_of
from dlg_translator.rest.manager import manager_at
from dlg_translator.rest.service import Service
from dlg_translator.rest.shelf import KeptGraph, KeptPartition, KeptTemplate

SLEEP = "dlg.apps.simple.SleepApp"


def page(start: Mapping[str, Any], status: int = 200) -> Answer:
    """Return the page, told what to begin with."""
    return Answer(web.page(start).encode(), HTML, status)


def index(service: Service, asked: Asked) -> Answer:
    """Return the page."""
    del service, asked
    return page({})


def get_graph(service: Service, asked: Asked) -> Answer:
    """Return a logical graph of the server's folder, the first one if none is named."""
    name = asked.text("lg_name") or next(iter(service.graphs.names()), "")
    if not name:
        raise NotFoundError("there are no logical graphs on this server")
    return Answer(service.graphs.read(name))


def put_graph(service: Service, asked: Asked) -> Answer:
    """Write a logical graph that is in the server's folder anew."""
    name, content = asked.text("lg_name"), asked.text("lg_content")
    if not is_logical_graph(parse(content, name)):
        raise BadRequestError("lg_content is no logical graph")
    service.graphs.write(name, content.encode(), new=False)
    return as_json({"saved": name})


def get_template(service: Service, asked: Asked) -> Answer:
    """Return the dropspecs of a division or template that is kept, or in the server's folder."""
    name = asked.text("pgt_name")
    kept = service.shelf.find(name)
    if isinstance(kept, KeptPartition):
        return as_specs(kept.partitioned)
    if isinstance(kept, KeptTemplate):
        return as_specs(kept.template.specs)
    return Answer(service.templates.read(name))


def post_gen_pgt(service: Service, asked: Asked) -> Answer:
    """Unroll and divide the graph that was sent; answer with the page that shows it."""
    name = asked.text("lg_name")
    content = asked.text("json_data").encode()
    graph = service.shelf.put(KeptGraph(name=name, content=content))
    start: dict[str, Any] = {
        "graph": graph,
        "algorithm": asked.text("algo"),
        "parts": asked.whole("num_par"),
    }
    try:
        template = translating.unroll(
            content, name, default_app=SLEEP if asked.flag("test") else ""
        )
        made = workbench.keep_template(service, template, name, graph)
        start["template"] = made["id"]
        parts, islands = max(asked.whole("num_par"), 1), max(asked.whole("num_islands"), 1)
        divided, seconds = translating.timed(
            lambda: translating.divide(
                template, asked.text("algo"), parts, islands, asked.options, lenient=True
            )
        )
    except DaliugeException as error:
        if not asked.html:
            raise
        # The page shows the graph beside what is wrong with it.
        return page({**start, **describe(error)}, status_of(error))
    wanted = {"algorithm": asked.text("algo"), "parts": parts, "islands": islands}
    found = workbench.keep_partition(service, made["id"], divided, wanted, seconds)
    return page({**start, "partition": found["id"]})


def get_gen_pgt(service: Service, asked: Asked) -> Answer:
    """Return the page with a graph of the server's folder opened; nothing is computed yet."""
    name = asked.text("lg_name")
    service.graphs.read(name)
    return page({"open": name, "algorithm": asked.text("algo"), "parts": asked.whole("num_par")})


def viewer(service: Service, asked: Asked) -> Answer:
    """Return the page with a template of the server's folder, the first if none is named."""
    name = asked.text("pgt_view_name") or next(iter(service.templates.names()), "")
    if not name:
        raise NotFoundError("there are no templates on this server")
    service.templates.read(name)
    return page({"view": name})


def gen_pg(service: Service, asked: Asked) -> Answer:
    """Map a division to the nodes of a manager, and run it there if told to deploy.

    Without a manager the graph has numbers for nodes, one each part.
    """
    divided = _division(service, asked)
    url = asked.text("dlg_mgr_url")
    if not url and asked.text("dlg_mgr_host"):
        url = f"http://{asked.text('dlg_mgr_host')}:{asked.number('dlg_mgr_port') or 443}"
    name = f"{asked.text('pgt_id')}.pg.json"
    if not url:
        if not asked.number("tpl_nodes_len"):
            raise BadRequestError("give dlg_mgr_url, dlg_mgr_host or tpl_nodes_len")
        return as_specs(divided, name)
    manager = manager_at(url)
    if not asked.text("dlg_mgr_deploy"):
        nodes = manager.nodes()
        return as_specs(translating.place(divided, [manager.host, *nodes], 1).specs, name)
    session = workbench.new_session(asked.text("pgt_id"))
    workbench.deploy(divided, manager, session, [])
    return Answer(status=303, headers={"Location": manager.session_page(session)})


def get_gen_pg(service: Service, asked: Asked) -> Answer:
    """Return a division as it would be mapped to numbered nodes; all else has to be posted."""
    if any(asked.values.get(n) for n in ("dlg_mgr_deploy", "dlg_mgr_url", "dlg_mgr_host")):
        raise MethodError("what goes to a manager has to be sent by POST /gen_pg", ["POST"])
    return gen_pg(service, asked)


def gen_pg_spec(service: Service, asked: Asked) -> Answer:
    """Return a division mapped to the nodes that were sent, and its roots."""
    divided = _division(service, asked)
    host = asked.text("manager_host")
    host = "127.0.0.1" if host == "localhost" else host
    graph = translating.place(divided, [host, *asked.names("node_list")], 1)
    roots = workbench.roots_of(divided.template)
    return as_json({"pg_spec": list(graph.specs), "root_uids": roots})


def show_chart(service: Service, asked: Asked) -> Answer:
    """Return the page with the chart of a division."""
    _division(service, asked)
    return page({"partition": asked.text("pgt_id"), "tab": "gantt"})


def gantt_chart(service: Service, asked: Asked) -> Answer:
    """Return when what runs in which part."""
    return as_json(figures.gantt(_division(service, asked)))


def schedule_matrices(service: Service, asked: Asked) -> Answer:
    """Return the matrix of lanes and moments of each part."""
    return as_json(figures.matrices(_division(service, asked)))


def submission_method(service: Service, asked: Asked) -> Answer:
    """Return who may talk to a manager: this service, or the browser itself."""
    del service, asked
    return as_json({"methods": ["SERVER", "BROWSER"]})


def _division(service: Service, asked: Asked) -> PartitionedTemplate:
    return service.shelf.get(asked.text("pgt_id"), KeptPartition).partitioned
