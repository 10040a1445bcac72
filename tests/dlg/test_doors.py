"""Every name of the published interface is where the interface puts it, with the arguments it has.

The table is transcribed from the interface: classes and functions with their arguments, members
indented under their class. `LEFT_OUT` says what is not there yet, and why.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import dlg.runtime

INTERFACE = """
dlg.ddap_protocol
    class AppDROPStates
    class ChecksumTypes
    class DROPLinkType
    class DROPPhases
    class DROPRel(lhs, rel, rhs)
        lhs
        rel
        rhs
    class DROPStates
    class ExecutionMode
dlg.drop
    class AbstractDROP(oid, uid, **kwargs)
        addConsumer(consumer, back=True)
        addProducer(producer, back=True)
        addStreamingConsumer(streamingConsumer, back=True)
        autofill_environment_variables()
        cancel()
        commit()
        completedrop()
        consumers
        dropReproComplete(uid, reprodata)
        executionMode
        generate_merkle_data()
        generate_recompute_data()
        generate_repeat_data()
        generate_replicate_comp_data()
        generate_replicate_sci_data()
        generate_replicate_total_data()
        generate_reproduce_data()
        generate_rerun_data()
        get_consumers_nodes()
        get_environment_variable(key)
        get_environment_variables(keys)
        handleEvent(e)
        handleInterest(drop)
        initialize(**kwargs)
        isCompleted()
        oid
        parent
        persist
        phase
        producerFinished(uid, drop_state)
        producers
        setCompleted()
        setError()
        size
        skip()
        status
        streamingConsumers
        uid
    class ListAsDict(my_set)
        append(drop)
dlg.droputils
    class DROPFile(drop)
    class DROPWaiterCtx(test, drops, timeout=1, expected_states=[])
    class EvtConsumer(evt, expected_states=[])
    allDropContents(drop, bufsize=65536)
    breadFirstTraverse(toVisit)
    copyDropContents(source, target, bufsize=65536)
    depthFirstTraverse(node, visited=[])
    getDownstreamObjects(drop)
    getLeafNodes(drops)
    getUpstreamObjects(drop)
    has_path(x)
    listify(o)
    load_npy(drop, allow_pickle=False)
    load_pickle(drop)
    replace_dataurl_placeholders(cmd, inputs, outputs)
    replace_path_placeholders(cmd, inputs, outputs)
    save_npy(drop, ndarray, allow_pickle=False)
    save_pickle(drop, data)
dlg.event
    class Event(type)
    class EventFirer
        subscribe(listener, eventType=None)
        unsubscribe(listener, eventType=None)
    class EventHandler
dlg.graph_loader
    addLink(linkType, lhDropSpec, rhOID)
    loadDropSpecs(dropSpecList)
    createGraphFromDropSpecList(dropSpecList)
    readObjectGraph(fileObj)
    readObjectGraphS(s)
    removeUnmetRelationships(dropSpecList)
dlg.rpc
    class DropProxy(rpc_client, hostname, port, sessionId, uid)
    class RPCClient
    class RPCClientBase
    class RPCObject
    class RPCServer
    class RPCServerBase(host, port)
    class ZeroRPCClient
    class ZeroRPCServer(host, port)
dlg.runtime
    delayed(x, *args, **kwargs)
dlg.utils
    class ExistingProcess(pid)
        kill()
        poll()
        terminate()
        wait()
    class ZlibUncompressedStream(content)
    browse_service(zc, service_type_name, protocol, callback)
    createDirIfMissing(path)
    deregister_service(zc, info)
    escapeQuotes(s, singleQuotes=True, doubleQuotes=True)
    fname_to_pipname(fname)
    getDlgDir()
    getDlgLogsDir()
    getDlgPath()
    getDlgPidDir()
    getDlgVariable(key)
    getDlgWorkDir()
    get_all_ipv4_addresses()
    get_local_ip_addr()
    get_symbol(name)
    isabs(path)
    object_tracking(name)
    prepare_sql(sql, paramstyle, data=())
    register_service(zc, service_type_name, service_name, ipaddr, port, protocol='tcp')
    timed_import(module_name)
    to_externally_contactable_host(host, prefer_local=False)
    zmq_safe(host_or_addr)
"""

LEFT_OUT: dict[str, str] = {}
OTHER_DEFAULT = {
    # A piece of 64 KiB made copying slow; the size is no part of what the function promises.
    ("dlg.droputils.copyDropContents", "bufsize"),
}
ON_A_SUBCLASS = {
    # Data has a size, apps do not; many of them have a parameter of that name instead.
    "dlg.drop.AbstractDROP.size": "DataDROP.size",
}
DOCUMENT = Path(__file__).parents[3] / "shared/spec/interface/daliuge_dlg_api.txt"


class Entry(NamedTuple):
    """One line of the table."""

    module: str
    path: str
    """Names within the module, joined by dots."""
    arguments: str | None
    """What stands between the brackets; None if there are none."""

    @property
    def name(self) -> str:
        return f"{self.module}.{self.path}"


def _entries() -> Iterator[Entry]:
    module = owner = ""
    for line in INTERFACE.strip().splitlines():
        depth, text = (len(line) - len(line.lstrip())) // 4, line.strip()
        if not depth:
            module = text
            continue
        name, bracket, rest = text.removeprefix("class ").partition("(")
        if depth == 1:
            owner = name
        path = name if depth == 1 else f"{owner}.{name}"
        yield Entry(module, path, rest.removesuffix(")") if bracket else None)


ENTRIES = list(_entries())
PRESENT = [e for e in ENTRIES if e.name not in LEFT_OUT and e.module not in LEFT_OUT]


def _find(entry: Entry) -> Any:
    found: Any = importlib.import_module(entry.module)
    for name in ON_A_SUBCLASS.get(entry.name, entry.path).split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("entry", PRESENT, ids=lambda e: e.name)
def test_a_published_name_is_where_the_interface_puts_it(entry: Entry) -> None:
    assert _find(entry) is not None


@pytest.mark.parametrize("entry", [e for e in PRESENT if e.arguments is not None], ids=str)
def test_a_published_function_takes_the_published_arguments(entry: Entry) -> None:
    ours = [p for n, p in inspect.signature(_find(entry)).parameters.items() if n != "self"]
    theirs = ast.parse(f"def f({entry.arguments}): pass").body[0]
    assert isinstance(theirs, ast.FunctionDef)
    named = [argument.arg for argument in theirs.args.args]
    plain = [p for p in ours if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}]
    assert [p.name for p in plain[: len(named)]] == named
    assert all(p.default is not p.empty or p.kind is p.KEYWORD_ONLY for p in plain[len(named) :])
    if theirs.args.kwarg is not None:
        assert any(p.kind is p.VAR_KEYWORD for p in ours) or entry.path == "delayed"


@pytest.mark.parametrize("entry", [e for e in PRESENT if "=" in (e.arguments or "")], ids=str)
def test_a_published_argument_has_the_published_default(entry: Entry) -> None:
    ours = inspect.signature(_find(entry)).parameters
    theirs = ast.parse(f"def f({entry.arguments}): pass").body[0]
    assert isinstance(theirs, ast.FunctionDef)
    with_default = theirs.args.args[-len(theirs.args.defaults) :]
    for argument, default in zip(with_default, theirs.args.defaults, strict=True):
        if (entry.name, argument.arg) in OTHER_DEFAULT:
            continue
        found, expected = ours[argument.arg].default, ast.literal_eval(default)
        assert found == expected or (not found and not expected)


def test_what_is_left_out_is_really_not_there() -> None:
    owner = importlib.import_module("dlg.drop").AbstractDROP
    members = [n.rpartition(".")[2] for n in LEFT_OUT if n.startswith("dlg.drop.")]
    there = [name for name in members if hasattr(owner, name)]
    there += [n for n in LEFT_OUT if n.count(".") == 1 and importlib.util.find_spec(n)]
    assert not there


def test_the_table_holds_every_name_of_the_interface_document() -> None:
    if not DOCUMENT.exists():
        pytest.skip("the document of the interface is not beside the project")
    known = {e.name for e in ENTRIES} | {e.path.rpartition(".")[2] for e in ENTRIES}
    missing = [name for name in _names_in_document() if name not in known]
    assert not missing


def _names_in_document() -> Iterator[str]:
    """Yield what a line of the document defines: `name(...)`, `class name`, `property name`."""
    inner = False  # the two small records inside the RPC client
    for line in DOCUMENT.read_text().splitlines():
        head, bracket, _ = line.partition("(")
        words = head.split()
        if words[:1] == ["class"]:
            inner = words[1][0].islower() and "." not in words[1]
            if not inner:
                yield words[1]
        elif words[:1] == ["property"] and not inner:
            yield words[1]
        elif bracket and len(words) == 1 and words[0].isidentifier() and line.rstrip()[-1] == ")":
            yield words[0]
        elif bracket and len(words) == 1 and words[0].startswith("dlg."):
            yield words[0].replace("dlg.runtime.delayed.", "dlg.runtime.")


def test_delayed_is_a_function_however_it_is_imported() -> None:
    import dlg.runtime.delayed as module
    from dlg.runtime import delayed

    ways: list[Any] = [module, sys.modules["dlg.runtime.delayed"], dlg.runtime.delayed]
    assert all(way is delayed for way in ways)
    assert delayed(abs)(-2).compute() == 2
