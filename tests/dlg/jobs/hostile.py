"""Expressions and jobs that want what they must not have: far more than five hundred."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

DUNDERS = (
    "__class__", "__base__", "__bases__", "__mro__", "__subclasses__", "__globals__", "__dict__",
    "__init__", "__builtins__", "__import__", "__code__", "__closure__", "__func__", "__self__",
    "__getattribute__", "__reduce__", "__reduce_ex__", "__module__", "__doc__", "__loader__",
    "gi_frame", "f_globals", "f_back", "cr_frame", "mro", "tb_frame",
)  # fmt: skip
OWNERS = (
    "()", "[]", "{}", "''", "1", "1.0", "None", "metadata", "requested_metadata", "constants",
    "math", "random", "abs", "'{}'.format", "(i for i in [])",
)  # fmt: skip
BUILTINS = (
    "__import__('os')", "eval('1')", "exec('1')", "compile('1','','eval')", "open('x', 'w')",
    "input()", "globals()", "locals()", "vars()", "dir()", "getattr(1, 'real')",
    "setattr(metadata, 'x', 1)", "delattr(metadata, 'x')", "hasattr(1, 'real')", "type(1)",
    "type('X', (), {})", "object()", "super()", "breakpoint()", "exit()", "quit()", "help()",
    "memoryview(b'')", "bytearray(10)", "bytes(10)", "callable(1)", "classmethod(1)", "print(1)",
    "property()", "staticmethod(1)", "issubclass(int, int)", "isinstance(1, int)", "id(1)",
    "iter([])", "next(i for i in [1])", "map(abs, [1])", "filter(abs, [1])", "repr(1)",
    "format(1, '9')", "chr(1)", "ord('a')", "hash(1)", "slice(1)", "set()", "frozenset()",
    "complex(1, 2)", "pow(2, 3, 5)", "divmod(1, 2)", "bin(1)", "hex(1)", "oct(1)", "license()",
    "copyright()", "credits()", "reload(math)", "os.system('x')", "sys.exit()", "self.x()",
    "subprocess.run('x')", "pickle.loads('x')", "importlib.import_module('os')", "plato_wp36.x()",
    "expression()", "MetadataItem()", "random.seed(1)", "random.SystemRandom()", "random._os()",
    "random.__init__()", "math.factorial(10)", "math.comb(4, 2)", "math.__loader__()",
    "math.perm(9)", "math.prod([1])", "random.getrandbits(99999999)", "random.Random()",
    "random.setstate(1)", "random.choices([1], k=10**9)", "random.sample([1], 1)", "ascii(1)",
)  # fmt: skip
SYNTAX = (
    "lambda: 1", "lambda x: x", "yield 1", "await 1", "x := 1", "f'{metadata}'", "b'x'", "1j",
    "...", "{1, 2}", "{i for i in [1]}", "*[1]", "[*[1]]", "{**metadata}", "1 if", "1 +", ")(",
    "1; 2", "import os", "del metadata", "x = 1", "metadata['x'] = 1", "1 & 2", "1 | 2", "1 ^ 2",
    "1 << 9999999", "1 >> 1", "~1", "[1] @ [2]", "print 1", "raise 1", "assert 1", "class X: pass",
    "def f(): pass", "return 1", "a.b", "a.b.c", "metadata.a", "constants._x", "constants.__len__",
    "metadata.get('a')", "metadata.items()", "''.join(['a'])", "'a'.upper()", "'a'.format_map({})",
    "[].append(1)", "[i async for i in []]", "(yield)", "(i for i in ().__class__)",
    "[metadata for metadata in [1]]", "[__x for __x in [1]]", "abs(x=1)", "len(*[1])",
    "unknown_name", "x", "self", "expression", "os", "sys", "Exception", "True()", "1()",
    "'x'()", "metadata()", "[abs][0](1)", "(abs if 1 else abs)(1)", "abs", "math", "random",
    "math.pi", "random.random", "not", "\x00", "\ud800", "'\ud800\x00", "1__0__", "0777", "\\",
)  # fmt: skip
WORK = (
    "9**9**9", "2**100000", "(-2)**99999", "10**10**10", "2**-9999999", "9.9**9**9", "0**-1",
    "1e308*10**400", "'a'*10**9", "10**9*'a'", "[0]*10**9", "(0,)*10**8", "range(10**9)",
    "list(range(10**8))", "sum(range(10**8))", "[0 for i in range(10**7)]", "range(-10**9, 10**9)",
    "[0 for i in range(1000) for j in range(1000)]", "range(10**400)", "linspace(0, 1, 10**9)",
    "[[[i for i in range(999)] for j in range(999)] for k in range(999)]", "round(5, -10**9)",
    "{i: j for i in range(9999) for j in range(9999)}", "sum(sum(range(999)) for i in range(999))",
    "'{:999999999d}'.format(1)", "'{:>99999999}'.format('a')", "'{:.999999999f}'.format(1.0)",
    "'{0:{1}}'.format(1, 10**9)", "'{0:{0}}'.format(10**9)", "'%999999999d' % 1", "'%s' % 'a'",
    "'{0.__class__}'.format(1)", "'{0.real}'.format(1)", "'{a.b}'.format(a=1)", "'{'.format()",
    "'{0[__class__]}'.format(1)", "'{m[a].x}'.format(m=metadata)", "'{}'.format()", "'}'.format()",
    "'{0!x}'.format(1)", "'{:q}'.format(1)", "'{:=^99999}'.format(1)", "'{99}'.format(1)",
    "'{x}'.format()", "('a'*50000 + 'a'*50001)", "('a'*90000)*2", "[0]*90000 + [0]*90000",
    "int('9'*5000)", "int('9'*4000)", "float('x')", "int('x')", "float([])", "int([])", "len(1)",
    "9**400*9**400*9**400*9**400*9**400", "1/0", "1//0", "1%0", "0.0**-1", "(-8)**0.5",
    "math.sqrt(-1)", "math.log(0)", "math.exp(9999)", "math.gamma(9999)", "math.acos(2)",
    "[][0]", "{}['x']", "metadata['nothing']", "requested_metadata['x']['y']", "constants['x']",
    "constants.nothing", "'a' + 1", "1 + 'a'", "-'a'", "[1] < 2", "'a' < 1", "{} < {}", "1[0]",
    "metadata[[]]", "{[]: 1}", "{(1, 2): 3}", "[1, 2]['a']", "[1][9]", "'abc'[9]", "1[1:2]",
    "[a for a, b in [1]]", "[a for a, b in [[1, 2, 3]]]", "[a for a[0] in [1]]",
    "[a for a.b in [1]]", "sum(['a'])", "sum([[1], [2]])", "max([])", "min()", "max(1, 'a')",
    "sorted([1, 'a'])", "range()", "range(1, 2, 0)", "range('a')", "range(1.5)", "zip(1)",
    "enumerate(1)", "random.choice([])", "random.choice(1)", "random.randint(2, 1)", "abs('a')",
    "random.uniform('a', 1)", "round('a')", "round(1, 2, 3)", "round(1, 'a')", "reversed(1)",
    "[i for i in 1]", "[i for i in None]", "dict(1)", "all(1)", "any(1)", "list(1)", "tuple(1)",
    "math.sin('a')", "math.hypot([1])", "'{}'.format(**[1])", "'{}'.format(**{1: 2})",
    "(1).format()", "[].format()", "metadata.format()", "sin(1, 2)", "atan2(1)",
)  # fmt: skip


def _deep() -> Iterator[str]:
    yield "(" * 300 + "1" + ")" * 300
    yield "(" + "[" * 9000 + "]" * 900
    yield "(" + "-" * 9000 + "1)"
    yield "(" + "not " * 2000 + "1)"
    yield "(" + "+".join("1" for _ in range(3000)) + ")"
    yield "(" + "metadata['a']" + "['a']" * 900 + ")"
    yield "(" + "1 if 1 else " * 500 + "1)"
    yield "('" + "a" * 10_000 + "')"
    yield "(" + "x" * 11_000 + ")"
    yield "(" + "[" * 60 + "1" + "]" * 60 + ")"
    yield "(" + "9" * 5000 + ")"
    yield "(" + "0x" + "f" * 9000 + ")"
    yield "(abs" + "(abs" * 200 + "(1)" + ")" * 201
    # Little that looks like much: each list holds the one before it twice.
    doubled = "[0]"
    for name in "abcdefghijklmnopqrstuvwxy":
        doubled = f"[[{name}, {name}] for {name} in [{doubled}]][0]"
    for use in ("{}", "str({})", "len(str({}))", "{0} == {0}", "'{{}}'.format({})", "sorted({})"):
        yield "(" + use.format(doubled) + ")"


def expressions() -> list[str]:
    """Return all hostile expressions, each beginning as an expression does."""
    found = [f"({owner}.{name})" for owner in OWNERS for name in DUNDERS]
    found += [f"({owner}.{name}())" for owner in OWNERS[:4] for name in DUNDERS]
    found += [f"({one})" for one in (*BUILTINS, *SYNTAX, *WORK)]
    found += [f"'a'.format({one})" for one in BUILTINS]
    found += [f"[{one} for i in [1]][0]".join(("(", ")")) for one in BUILTINS]
    return list(dict.fromkeys([*found, *_deep()]))


def _task(**more: Any) -> dict[str, Any]:
    return {"task": "null", **more}


def _loop(**more: Any) -> dict[str, Any]:
    given = {"parameter": "i", "values": [1], "task_list": [_task()], **more}
    return {"task": "execution_for_loop", **given}


def _of(*values: Any) -> tuple[Any, ...]:
    return values


def _names() -> Iterator[list[Any]]:
    for name in _of(
        "/etc/passwd", "../x", "a/../../x", "a//b", ".", "..", "", " ", "a\x00b", "a\nb",
        "~/x/../y",
        "$HOME/x", "${HOME}", "{dlg}/x", "{uid}", "a" * 300, "a/" * 600 + "a",
        "C:\\x", "x|y", "a*",
        "\u202ex", "a\ud800", "-/../-",
    ):  # fmt: skip
        yield [_task(outputs={"x": name})]
        yield [_task(inputs={"x": name})]
        yield [_task(outputs={"x": "ok"}, working_directory=name.strip() or "/")]
    for kind in _of(
        "os.system", "__import__", "../task", "a b", "task;rm", "", " ", 1, None, [], {}, True,
        "execution_nothing", "execution_chain_", "a" * 99, "_x", "ünïcode",
        "(1)", "'a.b'",
        "(requested_metadata['x'])", "x/y", "subprocess.run", "builtins.eval",
    ):  # fmt: skip
        yield [{"task": kind}]
    yield from ([one] for one in _of(1, "null", None, [], True, {}, {"name": "x"}))


def _loops() -> Iterator[list[Any]]:
    for more in _of(
        {"values": "abc"}, {"values": 5}, {"values": None}, {"values": "(1)"}, {"parameter": 1},
        {"parameter": ""}, {"parameter": "a b"}, {"parameter": "__x"}, {"parameter": "1a"},
        {"linear_range": [0, 1, 5]}, {"values": "(range(10**9))"}, {"task_list": None},
        {"task_list": {}}, {"task_list": "x"}, {"nothing": 1}, {"paramter": "x"},
        {"values": "(requested_metadata['x'])"}, {"values": ["(open('x'))"]},
        {"requires_metadata_from": ["x"]}, {"wait_for": "x"}, {"wait_for": [1]},
        {"wait_for": ["nobody"]}, {"in_order": "yes"},
    ):  # fmt: skip
        yield [_loop(**more)]
    for kind in ("linear_range", "log_range"):
        for given in _of(
            [], [1], [1, 2], [1, 2, 3, 4], [0, 1, 1e12], [0, 1, -1], [0, 1, 1.5], ["a", 1, 2],
            [0, None, 2], [0, 1e308, 3], [True, 2, 3], "x", {}, None, "(1)", [0, 1, "(10**9)"],
        ):  # fmt: skip
            loop = _loop(**{kind: given})
            del loop["values"]
            yield [loop]
    wide = [0, 1, 1_000_000]
    yield [_loop(linear_range=wide) | {"values": [1]}]
    nested: dict[str, Any] = _task()
    for name in "abc":
        nested = _loop(parameter=name, values=list(range(1000)), task_list=[nested])
    yield [nested]


def _branches() -> Iterator[list[Any]]:
    for more in _of(
        {}, {"criterion": "true"}, {"criterion": None}, {"criterion": []}, {"criterion": "(x)"},
        {"criterion": "(requested_metadata['x'])", "else_task_list": 5}, {"criterion": "(1"},
        {"criterion": "(1)", "tasklist": []},
    ):  # fmt: skip
        yield [{"task": "execution_conditional", "task_list": [_task(name="x")], **more}]
    yield [{"task": "execution_conditional", "criterion": "(1)"}]
    for more in _of(
        {}, {"iteration_name": "i"}, {"repeat_criterion": "(1)"}, {"max_iterations": 0},
        {"iteration_name": "i", "repeat_criterion": "(1)"},
        {"iteration_name": "i", "repeat_criterion": "(1)", "max_iterations": 10**9},
        {"iteration_name": "i", "repeat_criterion": "(open('x'))"},
        {"iteration_name": "i", "repeat_criterion": True, "max_iterations": "x"},
        {
            "iteration_name": "i", "repeat_criterion": "(requested_metadata['x'] > 1)",
            "requires_metadata_from_child": ["nobody"],
        },
    ):  # fmt: skip
        yield [{"task": "execution_do_while_loop", "task_list": [_task()], **more}]


def _links() -> Iterator[list[Any]]:
    yield [_task(name="a", wait_for=["a"])]
    yield [_task(name="a", wait_for=["b"]), _task(name="b", wait_for=["a"])]
    yield [_task(inputs={"x": "y"}, outputs={"z": "y"})]
    yield [
        _task(inputs={"x": "a"}, outputs={"y": "b"}), _task(inputs={"x": "b"}, outputs={"y": "a"}),
    ]  # fmt: skip
    yield [_task(outputs={"x": "same"}), _task(outputs={"x": "same"})]
    yield [_loop(values=[1, 2], task_list=[_task(outputs={"x": "same"})])]
    yield [_task(name="a"), _task(name="a")]
    yield [{"task": "execution_chain", "name": "c", "task_list": [_task(wait_for=["c"])]}]
    yield [{"task": "execution_chain", "name": "c", "task_list": [
        _task(inputs={"x": {"gather": "c", "output": "y"}}), _task(outputs={"y": "f"}),
    ]}]  # fmt: skip
    for given in _of(
        {"gather": "x"}, {"output": "y"}, {"gather": 1, "output": "y"},
        {"gather": "n", "output": "y"},
        {"gather": "l", "output": "nothing"}, {"gather": "l", "output": "y", "last": 1},
        {"gather": "l", "output": "y", "more": 1}, 5, None, [], ["a"],
    ):  # fmt: skip
        yield [_loop(name="l", task_list=[_task(outputs={"y": "f"})]), _task(inputs={"x": given})]


def _keys() -> Iterator[list[Any]]:
    for key, value in _of(
        ("retries", -1), ("retries", 1e9), ("retries", "x"), ("retries", None), ("retries", []),
        ("inputs", []), ("inputs", "x"), ("outputs", 5), ("outputs", {"x": 5}), ("name", 5),
        ("outputs", {"x": None}), ("name", "a/b"), ("name", ""), ("name", "a\nb"),
        ("name", "n" * 300),
        ("requires_metadata_from", "x"), ("requires_metadata_from", ["nobody"]), ("job_name", 1),
        ("working_directory", []), ("inputs", {"x": "nowhere"}), ("qc_criterion", "(open('x'))"),
        ("outputs", {"x": "(requested_metadata['x']['y'])"}), ("name", "(requested_metadata)"),
    ):  # fmt: skip
        yield [_task(**{key: value})]
    for one in BUILTINS[:40]:
        yield [_task(setting=f"({one})")]
        yield [_task(name=f"({one})")]
        yield [_task(deep=[{"x": [f"({one})"]}])]
        yield [_loop(values=f"({one})")]


def documents() -> list[Any]:
    """Return all hostile documents."""
    lists = chain(_names(), _loops(), _branches(), _links(), _keys())
    found: list[Any] = [{"task_list": tasks} for tasks in lists]
    found += [None, 1, "x", [], [1], {}, {"task_list": None}, {"task_list": [], "tasks": []}]
    for key, value in _of(
        ("seed", []), ("metadata", []), ("metadata", {"x": "(open('x'))"}), ("job_name", 5),
        ("working_directory", "/tmp"), ("working_directory", "../x"), ("in_order", 1),
        ("iterations", None), ("iterations", [1]), ("iterations", [{"name": "a"}]),
        ("iterations", [{"name": "a b", "values": [1]}]),
        ("iterations", [{"name": "index", "values": [1]}]),
        ("iterations", [{"name": "a", "values": "(open('x'))"}]),
        ("iterations", [{"name": "a", "linear_range": [0, 1, 999_999]}] * 2),
        ("iterations", [{"name": c, "linear_range": [0, 1, 99_999]} for c in "abcd"]),
    ):  # fmt: skip
        found.append({"task_list": [_task(outputs={"x": "y"})], key: value})
    one = {"name": "a", "values": [1]}
    found += [
        {"iterations": [one], "task_list": [_task(x="${nothing}")]},
        {"iterations": [one], "task_list": [_task(x="${a.__class__}")]},
        {"iterations": [one], "task_list": [_task(x="$")]},
        {"iterations": [one], "task_list": "x"},
        {"iterations": [one], "task_list": [], "nested_tasks": ["/etc/passwd"]},
        {"iterations": [{"name": "a", "values": ["(open('x'))"]}], "task_list": [_task(x="${a}")]},
    ]
    return found


def texts() -> list[tuple[str, bool]]:
    """Return texts that cannot be read, each with whether it is YAML."""
    tags = ("python/object/apply:os.system", "python/name:os.system", "python/module:os",
            "python/object/new:os.system", "python/object:os.system", "x", "binary",
            "set")  # fmt: skip
    found = [(f"task_list:\n- !!{tag} ['echo x']", True) for tag in tags]
    found += [
        ("a: &a [x]\ntask_list: [*a, *a]", True), ("a: &a\n  b: *a", True), ("1: 2", True),
        ("? [a]\n: b", True), ("a: 1\na: 2", True), ("task_list: [", True), ("\t", True),
        ("a: .nan", True), ("a: .inf", True), ("<<: {a: 1}", True), ("[" * 5000, True),
        ("a: !local x", True), ("%YAML 9.9\n---\na: 1", True), ("--- 1\n--- 2", True),
        ("{'a': 1", True), ("@", True), ("\x00", True),
        ("", False), ("{", False), ("[" * 100_000, False), ('{"a": 1, "a": 2}', False),
        ("NaN", False), ('{"a": Infinity}', False), ('{"a": -Infinity}', False), ("\x00", False),
        ('{"a":' * 200 + "1" + "}" * 200, False), ("{'a': 1}", False), ("1e999", False),
        ("9" * 5000, False), ('"\\ud800', False), ("import os", False), ('{"a": 1} x', False),
    ]  # fmt: skip
    return found


def count() -> int:
    """Return how many there are."""
    return len(expressions()) + len(documents()) + len(texts())
