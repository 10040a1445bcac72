"""What code a drop runs, as a fingerprint: the same as long as nothing that counts has changed.

Of a function of the user, its source counts as Python reads it (no comments, no layout), and that
of the functions, classes and constants it uses, in its module and in other modules of the user. Of
what is installed, the name and version of the distribution count, of the standard library those of
Python. What a function finds only while it runs (by name, from a file, from the network) is not
seen.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import re
import stat
import sys
import sysconfig
import textwrap
import threading
import types
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dlg.exceptions import UsageError
from dlg.support.content import hash_of_file
from dlg.support.symbols import get_symbol

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OURS = frozenset({"dlg", "dlg_engine", "dlg_translator"})

SCRIPTS = frozenset({
    ".awk", ".bash", ".jl", ".js", ".lua", ".m", ".pl", ".pro", ".py", ".r", ".rb", ".sed", ".sh",
    ".sql", ".tcl", ".zsh",
})  # fmt: skip
"""By which endings a file that a command names is taken for a script, in lower case."""

_SYSTEM = ("/bin/", "/dev/", "/lib", "/proc/", "/sbin/", "/sys/", "/usr/")
_NO_FILE = hashlib.sha256(b"").hexdigest()
"""The fingerprint of nothing at all."""
_PARSING = threading.Lock()
"""Python 3.11 may fail with a SystemError if two threads parse at the same time."""
_PLAIN = (str, bytes, int, float, complex, bool, type(None))


class CodeBook:
    """Fingerprints of code, each of which is made once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, str] = {}

    def of_source(self, text: str) -> str:
        """Return the fingerprint of Python source, or of a text that is none."""
        return self._once(("source", text), lambda parts: parts.add_source("source", text))

    def of_name(self, name: str) -> str:
        """Return the fingerprint of what can be imported by its dotted `name`.

        A bare name is a builtin. What cannot be found is known by its name alone: the drop that
        asks for it fails, whatever it is.
        """
        return self._once(("name", name), lambda parts: parts.add_named(name))

    def of_object(self, thing: Any) -> str:
        """Return the fingerprint of a function or class."""
        # The object itself is kept, as its number may be given to another one after its end.
        return self._once(("object", _Same(thing)), lambda parts: parts.add(thing))

    def of_command(self, line: str) -> dict[str, str]:
        """Return the hashes of the scripts and programs that a shell command names, by path.

        Only absolute paths are looked at, as commands run in directories of their own, and
        nothing of the system. Data do not count: a command may name those that it writes.
        """
        found = {}
        for word in set(_words(line)):
            if word.startswith("/") and not word.startswith(_SYSTEM):
                state = self._once(("file", word), lambda parts, word=word: parts.add_file(word))
                if state != _NO_FILE:
                    found[word] = state
        return found

    def _once(self, key: Hashable, fill: Any) -> str:
        if key not in self._known:
            parts = _Parts()
            fill(parts)
            self._known[key] = parts.fingerprint()
        return self._known[key]


class _Same:
    """A thing as a key: equal to itself only, and hashable whatever it is."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.thing is self.thing


class _Parts:
    """Everything that a piece of code was found to be made of."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}
        self._waiting: list[Any] = []
        self._seen: set[int] = set()

    def fingerprint(self) -> str:
        """Return the hash of all parts, once everything they use has been found."""
        while self._waiting:
            self._look_at(self._waiting.pop())
        text = "\0".join(f"{name}\0{self._parts[name]}" for name in sorted(self._parts))
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    def add(self, thing: Any) -> None:
        """Add a thing that is used, to be looked at later."""
        if id(thing) not in self._seen:
            self._seen.add(id(thing))
            self._waiting.append(thing)

    def add_named(self, name: str) -> None:
        """Add what a dotted name stands for."""
        self._parts["name"] = name
        try:
            self.add(get_symbol(name if "." in name else f"builtins.{name}"))
        except UsageError:
            return

    def add_file(self, path: str) -> None:
        """Add the content of a script or program, if there is one at `path`."""
        place = Path(path)
        try:
            mode = place.stat().st_mode
            runs = mode & stat.S_IXUSR or place.suffix.lower() in SCRIPTS
            if stat.S_ISREG(mode) and runs:
                self._parts["file"] = hash_of_file(place)
        except (OSError, ValueError):
            return  # it is the command that fails, if it needs it

    def add_source(self, label: str, text: str) -> list[ast.AST]:
        """Add source and the modules it imports; return what was read, nothing if it is none."""
        try:
            with _PARSING:
                tree = ast.parse(textwrap.dedent(text))
        except (SyntaxError, ValueError):
            self._parts[label] = text
            return []
        self._parts[label] = ast.dump(tree)
        for name in _imported(tree):
            self._add_module(name)
        return [tree]

    def _look_at(self, thing: Any) -> None:
        if isinstance(thing, functools.partial):
            self.add(thing.func)
            self._add_values("partial", {"args": thing.args, **thing.keywords})
        elif isinstance(thing, types.MethodType):
            self.add(thing.__func__)
            self.add(type(thing.__self__))
        elif isinstance(thing, types.ModuleType):
            self._add_module(thing.__name__)
        elif isinstance(thing, types.FunctionType):
            self._look_at_function(thing)
        elif isinstance(thing, type):
            self._look_at_class(thing)
        elif hasattr(thing, "__wrapped__"):
            self.add(thing.__wrapped__)
        else:
            self._add_origin(str(getattr(thing, "__module__", None) or type(thing).__module__))

    def _look_at_function(self, function: types.FunctionType) -> None:
        label = f"{function.__module__}.{function.__qualname__}"
        if self._add_origin(function.__module__ or ""):
            self._parts[label] = "used"
            return
        if hasattr(function, "__wrapped__"):
            self.add(function.__wrapped__)
        owner = _owner(function)
        if owner is not None:
            self.add(owner)  # a method uses others, by way of its object
        trees = [] if function.__name__ == "<lambda>" else self._add_text_of(label, function)
        if trees:
            names = _names(trees) - _only_local(function.__code__, trees)
        else:  # no source, or not on lines of its own
            self._parts[label] = _compiled(function.__code__)
            names = set(_names_compiled(function.__code__))
        cells = function.__closure__ or ()
        closed = dict(zip(function.__code__.co_freevars, map(_content, cells), strict=True))
        self._add_values(label, {"defaults": function.__defaults__, **closed})
        self._add_values(label, _held(function.__globals__, names - closed.keys()))

    def _look_at_class(self, cls: type) -> None:
        label = f"{cls.__module__}.{cls.__qualname__}"
        if self._add_origin(cls.__module__):
            self._parts[label] = "used"
            return
        trees = self._add_text_of(label, cls)
        if cls.__module__.partition(".")[0] in OURS:
            return  # the version stands for what it is built on
        for base in cls.__bases__:
            self.add(base)
        module = sys.modules.get(cls.__module__)
        self._add_values(label, _held(vars(module) if module else {}, _names(trees)))

    def _add_text_of(self, label: str, thing: Any) -> list[ast.AST]:
        try:
            with _PARSING:
                text = inspect.getsource(thing)
            return self.add_source(label, text)
        except (OSError, TypeError):
            self._parts[label] = "without source"
            return []

    def _add_values(self, label: str, values: Mapping[str, Any]) -> None:
        """Add what names stand for: values as they are, and code to be looked at."""
        for name, value in values.items():
            if _is_plain(value):
                self._parts[f"{label} {name}"] = _text_of(value)
            elif isinstance(value, types.ModuleType | types.FunctionType | type) or callable(
                value
            ):
                self.add(value)
            else:
                self.add(type(value))

    def _add_module(self, name: str) -> None:
        """Add a module of the user with all that it imports, or where another one comes from."""
        label = f"module {name}"
        if label in self._parts or self._add_origin(name):
            return
        path = _source_file(name)
        self._parts[label] = "not found"
        if path is not None:
            self.add_source(label, path.read_text(errors="surrogateescape"))

    def _add_origin(self, module: str) -> bool:
        """Add what a module is part of, unless it is the user's own; return whether it is not."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            self._parts["python"] = PYTHON
            return True
        version = installed_version(top)
        if version:
            self._parts[f"package {top}"] = version
        return bool(version) and top not in OURS


@functools.cache
def installed_version(top: str) -> str:
    """Return the version of the distribution that brings package `top`; empty for own code.

    A package that lies outside the folder of installed ones may change without a new version: it
    counts as the user's own.
    """
    if top not in OURS and not _is_installed(top):
        return ""
    try:
        return importlib.metadata.version(top)
    except importlib.metadata.PackageNotFoundError:
        pass
    names = importlib.metadata.packages_distributions().get(top, ())
    found = sorted({f"{name} {importlib.metadata.version(name)}" for name in names})
    return ", ".join(found) or "unknown"


def _is_installed(top: str) -> bool:
    path = _source_file(top)
    homes = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    return path is not None and not homes.isdisjoint(path.resolve().parents)


def _words(line: str) -> list[str]:
    """Return the words of a shell command; whatever stands around a path is taken off."""
    return [word.strip("'\"`()<>") for word in re.split(r"[\s;|&=:,]+", line)]


def _source_file(name: str) -> Path | None:
    """Return the file of a module, whether or not it has been imported."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        file = spec.origin if spec is not None and spec.has_location else None
    return Path(file) if file else None


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _names(trees: Iterable[ast.AST]) -> set[str]:
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _only_local(code: types.CodeType, trees: Iterable[ast.AST]) -> set[str]:
    """Return the names that are arguments and variables of a function, and nothing else.

    Its module may have something of the same name, which it does not use.
    """
    around = [
        outside
        for tree in trees
        for node in ast.iter_child_nodes(tree)
        for outside in getattr(node, "decorator_list", ())
    ]
    own = {*code.co_varnames, *code.co_cellvars}
    return own - set(_names_compiled(code)) - _names(around)


def _names_compiled(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_compiled(constant)


def _compiled(code: types.CodeType) -> str:
    """Return what counts of compiled code: what it does, not where it was written."""
    constants = [
        _compiled(c) if isinstance(c, types.CodeType) else _text(c) for c in code.co_consts
    ]
    return repr((PYTHON, code.co_code, constants, code.co_names, code.co_varnames))


def _owner(function: types.FunctionType) -> type | None:
    """Return the class of which a function is a method, if it is one."""
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split(".")[:-1]:
        found = getattr(found, name, None)  # there is none within a function
    return found if isinstance(found, type) else None


def _held(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: values[name] for name in sorted(names) if name in values}


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a function that refers to itself, while it is being made
        return None


def _is_plain(value: Any) -> bool:
    """Return whether a value is made of nothing but numbers, texts and containers of them."""
    waiting = [value]
    seen: set[int] = set()  # a container may hold itself
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += item
        elif not isinstance(item, _PLAIN):
            return False
    return True


def _text_of(value: Any) -> str:
    try:
        return _text(value)
    except RecursionError:  # it holds itself
        return repr(value)


def _text(value: Any) -> str:
    if isinstance(value, set | frozenset):  # in an order that differs from process to process
        return f"{type(value).__name__}{sorted(map(_text, value))}"
    if isinstance(value, Mapping):
        return repr(sorted((_text(k), _text(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{', '.join(map(_text, value))}]"
    return repr(value)
