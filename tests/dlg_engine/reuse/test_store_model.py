"""The store does what a dictionary does, whatever happens to it in between."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dlg_engine.reuse import upkeep
from dlg_engine.reuse.entries import DamagedEntryError
from dlg_engine.reuse.store import SMALL, Facts, Store

KEYS = st.sampled_from([f"{i:064x}" for i in range(4)])
CONTENTS = st.sampled_from([b"", b"a", b"b" * 50, b"c" * (SMALL + 1), b"d" * (SMALL * 2)])


class StoreMachine(RuleBasedStateMachine):
    """Puts, finds, evicts and damages; what was not damaged or evicted is served as it was put."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.store = Store(self.root / "store")
        self.model: dict[str, bytes] = {}

    @rule(key=KEYS, content=CONTENTS)
    def put(self, key: str, content: bytes) -> None:
        self.store.put(key, content, Facts(form="bytes"))
        self.model[key] = content

    @rule(key=KEYS, content=CONTENTS)
    def put_a_file(self, key: str, content: bytes) -> None:
        (self.root / "file").write_bytes(content)
        self.store.put_file(key, self.root / "file", Facts(form="file"))
        self.model[key] = content

    @rule(key=KEYS)
    def discard(self, key: str) -> None:
        self.store.discard(key)
        self.model.pop(key, None)

    @rule()
    def open_it_again(self) -> None:
        self.store = Store(self.root / "store")

    @rule(most=st.integers(0, 4 * SMALL))
    def evict_by_size(self, most: int) -> None:
        gone = upkeep.gc(self.store, max_size=most)
        for one in gone.entries:
            del self.model[one.entry.key]
        assert gone.kept <= most

    @rule(key=KEYS, place=st.integers(0, 10**6))
    def flip_a_bit(self, key: str, place: int) -> None:
        entry = self.store.find(key)
        if entry is None:
            return
        held = entry.held is not None
        path = self.store.entry_path(key) if held else self.store.content_path(entry.content)
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[place % len(data)] ^= 1 << place % 8
        path.write_bytes(data)
        named = {damage.key for damage in upkeep.verify(self.store)}
        same = {k for k, content in self.model.items() if not held and content == self.model[key]}
        assert named == same | {key}
        for one in named:
            self.never_served(one)
            del self.model[one]

    def never_served(self, key: str) -> None:
        entry = self.store.find(key)
        if entry is not None:
            try:
                self.store.read(entry)
            except DamagedEntryError:
                return
            raise AssertionError("a damaged content was served")

    @invariant()
    def the_store_is_the_dictionary(self) -> None:
        for number in range(4):
            key = f"{number:064x}"
            entry = self.store.find(key)
            assert (None if entry is None else self.store.read(entry)) == self.model.get(key)

    def teardown(self) -> None:
        shutil.rmtree(self.root)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
