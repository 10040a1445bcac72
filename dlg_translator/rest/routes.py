"""The table of routes: the server and the description for programs are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from dlg.http import routes
from dlg.http.answers import HTML, SVG, Answer, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.openapi import Document, describe_routes
from dlg_translator.rest import original, steps, workbench
from dlg_translator.rest.errors import STATUSES
from dlg_translator.rest.service import Service

Route: TypeAlias = routes.Route[Service]

DOCUMENT = Document(
    title="dlg translator",
    description="From logical graphs to physical graphs that managers can run.",
    tags={
        "original": "The routes that the EAGLE editor calls.",
        "steps": "Graph in, graph out; nothing is kept.",
        "page": "What the page uses; results are kept for a while.",
    },
    statuses=STATUSES,
    words={502: "The manager cannot be reached, or refused."},
)

ID = Param("id", required=True, help="What an earlier answer called it.")
LG = (
    Param("lg_name", help="A logical graph of the server's folder."),
    Param("lg_content", help="A logical graph as JSON text, instead of a name."),
)
PGT = (
    Param("pgt_name", help="A template of the server's folder."),
    Param("pgt_content", help="A template as JSON text, instead of a name."),
)
RMODE = Param(
    "rmode", help="Taken for older clients; reproducibility is chosen where the graph is run."
)
SETTING = (
    Param("parameters", Kind.OBJECT, "Values by name: NODE.FIELD, or a ~name of the text."),
    Param("config", help="Id or name of a configuration in the graph; else the active one."),
)
UNROLLING = (
    Param("oid_prefix", help="What every oid begins with.", default="1"),
    Param("default_app", help="The class that takes the place of that of every app."),
    Param("zero_run", Kind.FLAG, "Whether apps are said to take no time."),
    Param("strict", Kind.FLAG, "Refuse what could be unrolled but not run."),
    Param("compat", Kind.FLAG, "Write every key that files of the existing translator have."),
)
DIVIDING = (
    Param("algorithm", default="metis", help="See GET /api/algorithms."),
    Param("num_partitions", Kind.WHOLE, "How many parts.", default=1, least=1),
    Param("num_islands", Kind.WHOLE, "How many islands of parts.", default=1, least=1),
    Param("algo_params", Kind.OBJECT, "Options of the algorithm, which may also stand alone."),
)
NODES = Param("nodes", Kind.NAMES, "Hosts: the first ones manage the islands.")
CO_HOST = Param("co_host_dim", Kind.FLAG, "Whether hosts that manage islands are nodes too.")
GEN_PGT = (
    Param("lg_name", required=True, help="What the graph is called."),
    Param("algo", default="metis", help="The algorithm."),
    Param("num_par", Kind.WHOLE, "How many parts.", default=1, least=0),
    Param("num_islands", Kind.WHOLE, "How many islands; 0 is as good as 1.", default=0, least=0),
    Param("par_label", help="Taken for older clients; parts are called parts."),
    Param("test", Kind.FLAG, "Whether apps are replaced by ones that only sleep."),
    RMODE,
)
PGT_ID = Param("pgt_id", required=True, help="The id of a division.")
MANAGER = (
    Param("dlg_mgr_url", help="The address of a manager."),
    Param("dlg_mgr_host", help="The host of a manager, where no address is given."),
    Param("dlg_mgr_port", Kind.WHOLE, "The port of that host.", least=1, most=65535),
    Param("dlg_mgr_deploy", help="Anything: run it there."),
    Param("tpl_nodes_len", Kind.WHOLE, "Not 0: without a manager, number the nodes."),
)


def describe(service: Service, asked: Asked) -> Answer:
    """Return this table as an OpenAPI document."""
    del service, asked
    return as_json(describe_routes(ROUTES, DOCUMENT))


def health(service: Service, asked: Asked) -> Answer:
    """Tell that the translator answers."""
    del service, asked
    return as_json({"status": "ok"})


STEPS = (
    Route("POST", "/lg_fill", steps.lg_fill, (*LG, SETTING[0], RMODE), "steps"),
    Route("POST", "/unroll", steps.unroll, (*LG, *SETTING, *UNROLLING), "steps"),
    Route("POST", "/partition", steps.partition, (*PGT, *DIVIDING), "steps", more=True),
    Route(
        "POST", "/unroll_and_partition", steps.unroll_and_partition,
        (*LG, *SETTING, *UNROLLING, *DIVIDING), "steps", more=True,
    ),
    Route(
        "POST", "/map", steps.map_,
        (
            *PGT, NODES,
            Param("num_islands", Kind.WHOLE, "How many islands; else as many as it has.", least=1),
            CO_HOST,
            Param("host", help="A manager that knows nodes, where none are given."),
            Param("port", Kind.WHOLE, "Its port.", default=steps.ISLAND_PORT, least=1, most=65535),
        ),
        "steps",
    ),
)  # fmt: skip

ORIGINAL = (
    Route("GET", "/", original.index, (), "original", HTML),
    Route(
        "GET", "/jsonbody", original.get_graph,
        (Param("lg_name", help="Which graph; else the first."),), "original",
    ),
    Route(
        "POST", "/jsonbody", original.put_graph,
        (
            Param("lg_name", required=True, help="A graph that is there."),
            Param("lg_content", required=True, help="The graph as JSON text."),
            RMODE,
        ),
        "original",
    ),
    Route(
        "GET", "/pgt_jsonbody", original.get_template,
        (Param("pgt_name", required=True, help="An id, or a name of the server's folder."),),
        "original",
    ),
    Route("GET", "/gen_pgt", original.get_gen_pgt, GEN_PGT, "original", HTML, more=True),
    Route(
        "POST", "/gen_pgt", original.post_gen_pgt,
        (*GEN_PGT, Param("json_data", required=True, help="The logical graph as JSON text.")),
        "original", HTML, more=True, from_anywhere=True,
    ),
    Route("GET", "/gen_pg", original.get_gen_pg, (PGT_ID, *MANAGER), "original"),
    Route("POST", "/gen_pg", original.gen_pg, (PGT_ID, *MANAGER), "original"),
    Route(
        "POST", "/gen_pg_spec", original.gen_pg_spec,
        (
            PGT_ID,
            Param("node_list", Kind.NAMES, "The nodes.", required=True),
            Param("manager_host", required=True, help="The host of their manager."),
        ),
        "original",
    ),
    Route(
        "GET", "/pg_viewer", original.viewer,
        (Param("pgt_view_name", help="A template of the server's folder."),), "original", HTML,
    ),
    Route("GET", "/show_gantt_chart", original.show_chart, (PGT_ID,), "original", HTML),
    Route("GET", "/show_schedule_mat", original.show_chart, (PGT_ID,), "original", HTML),
    Route("GET", "/pgt_gantt_chart", original.gantt_chart, (PGT_ID,), "original"),
    Route("GET", "/get_schedule_matrices", original.schedule_matrices, (PGT_ID,), "original"),
    Route("GET", "/api/submission_method", original.submission_method, MANAGER[:3], "original"),
)  # fmt: skip

PAGE = (
    Route("GET", "/api", describe),
    Route("GET", "/openapi.json", describe),
    Route("GET", "/api/library", workbench.library),
    Route("GET", "/api/algorithms", workbench.algorithms),
    Route(
        "POST", "/api/graphs", workbench.keep_graph,
        (*LG, Param("name", help="What a graph that is sent is called.")),
    ),
    Route("GET", "/api/graphs/{id}", workbench.show_graph, (ID, SETTING[1])),
    Route("GET", "/api/graphs/{id}/drawing", workbench.draw_graph, (ID,), kind=SVG),
    Route(
        "POST", "/api/graphs/{id}/templates", workbench.unroll_kept,
        (ID, *SETTING, UNROLLING[0], UNROLLING[3]),
    ),
    Route(
        "POST", "/api/templates", workbench.open_template,
        (*PGT, Param("name", help="What a template that is sent is called.")),
    ),
    Route("GET", "/api/templates/{id}", workbench.show_template, (ID,)),
    Route("GET", "/api/templates/{id}/drawing", workbench.draw_template, (ID,), kind=SVG),
    Route("GET", "/api/templates/{id}/file", workbench.template_file, (ID,)),
    Route(
        "POST", "/api/templates/{id}/partitions", workbench.divide_kept,
        (
            ID, DIVIDING[0],
            Param("parts", Kind.WHOLE, "How many parts; else the algorithm's choice.", least=1),
            Param("islands", Kind.WHOLE, "How many islands of parts.", default=1, least=1),
            Param("options", Kind.OBJECT, "Options of the algorithm."),
        ),
    ),
    Route("GET", "/api/partitions/{id}", workbench.show_partition, (ID,)),
    Route("GET", "/api/partitions/{id}/file", workbench.partition_file, (ID,)),
    Route("GET", "/api/partitions/{id}/gantt", workbench.partition_gantt, (ID,)),
    Route(
        "POST", "/api/partitions/{id}/save", workbench.save_partition,
        (ID, Param("pgt_name", required=True, help="A name in the folder of templates.")),
    ),
    Route(
        "POST", "/api/partitions/{id}/map", workbench.map_kept,
        (
            ID, Param("nodes", Kind.NAMES, NODES.help, required=True),
            Param("islands", Kind.WHOLE, "How many islands; else as many as it has.", least=1),
            CO_HOST,
        ),
    ),
    Route(
        "POST", "/api/partitions/{id}/submit", workbench.submit_kept,
        (
            ID,
            Param("manager", required=True, help="The address of the manager."),
            Param("session", help="What to call the session; else a name with the time."),
            Param("nodes", Kind.NAMES, "Nodes to use; else all the manager has."),
        ),
    ),
)  # fmt: skip

ROUTES: Sequence[Route] = (*ORIGINAL, *STEPS, *PAGE, Route("GET", "/health", health))


def by_path() -> Mapping[str, Mapping[str, Route]]:
    """Return the routes by path, and those of a path by method."""
    return routes.by_path(ROUTES)
