"""The store of completed data: what was put there is served, whole, or nothing is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.exceptions import RunError, UsageError
from dlg.support import clock
from dlg_engine.reuse import upkeep
from dlg_engine.reuse.entries import DamagedEntryError, Entry
from dlg_engine.reuse.store import SMALL, Facts, Store, UnsafeStoreError, Verify

KEY, OTHER = "a" * 64, "b" * 64
BYTES = Facts(form="bytes", app="f")
FILE = Facts(form="file")
LARGE = bytes(range(256)) * (SMALL // 64)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def found(store: Store, key: str = KEY) -> Entry:
    entry = store.find(key)
    assert entry is not None
    return entry


def flip(path: Path, place: int) -> None:
    """Change one bit of a file, whatever its mode says."""
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def only(directory: Path) -> Path:
    (path,) = (p for p in directory.rglob("*") if p.is_file())
    return path


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "large"])
def test_bytes_come_back_with_who_made_them(store: Store, content: bytes) -> None:
    store.put(KEY, content, BYTES)
    entry = found(store)
    assert (store.read(entry), entry.size, entry.app) == (content, len(content), "f")


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
@pytest.mark.parametrize("verify", ["always", "size"])
def test_a_file_comes_back(tmp_path: Path, content: bytes, verify: Verify) -> None:
    source, target = tmp_path / "in", tmp_path / "deep" / "out"
    source.write_bytes(content)
    store = Store(tmp_path / "store", verify)
    store.put_file(KEY, source, FILE)
    store.place(found(store), target)
    assert target.read_bytes() == content


def test_a_file_that_is_changed_in_place_changes_nothing_in_the_store(
    store: Store, tmp_path: Path
) -> None:
    store.put(KEY, LARGE, FILE)
    target = tmp_path / "out"
    store.place(found(store), target)
    with target.open("r+b") as file:
        file.write(b"other")
    assert store.read(found(store)) == LARGE


def test_a_directory_comes_back_with_what_is_below(store: Store, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "deep" / "empty").mkdir(parents=True)
    (source / "deep" / "file").write_bytes(LARGE)
    store.put_directory(KEY, source, Facts(form="directory"))
    store.place(found(store), target)
    assert (target / "deep" / "file").read_bytes() == LARGE
    assert (target / "deep" / "empty").is_dir()


def test_a_directory_with_a_link_is_refused(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(RunError, match="neither a file nor a directory"):
        store.put_directory(KEY, source, Facts(form="directory"))
    assert not any(store.under_way.iterdir())


def test_equal_contents_are_there_once(store: Store) -> None:
    store.put(KEY, LARGE, BYTES)
    store.put(OTHER, LARGE, BYTES)
    assert only(store.contents).read_bytes() == LARGE


@pytest.mark.parametrize("key", ["", "x" * 64, "../../etc/passwd", "A" * 64])
def test_what_is_no_signature_is_no_key(store: Store, key: str) -> None:
    with pytest.raises(UsageError, match="hexadecimal"):
        store.find(key)


@pytest.mark.parametrize("content", [b"some bytes", LARGE], ids=["small", "large"])
def test_a_flipped_bit_is_never_served(store: Store, content: bytes) -> None:
    chance = random.Random(1)
    for _ in range(30):
        store.put(KEY, content, BYTES)
        path = only(store.contents if len(content) > SMALL else store.entries)
        flip(path, chance.randrange(path.stat().st_size))
        entry = store.find(KEY)
        if entry is not None:
            with pytest.raises(DamagedEntryError):
                store.read(entry)
        assert store.find(KEY) is None


def test_a_file_with_a_flipped_bit_is_not_left_where_it_was_wanted(
    store: Store, tmp_path: Path
) -> None:
    store.put(KEY, LARGE, FILE)
    flip(only(store.contents), 7)
    with pytest.raises(DamagedEntryError):
        store.place(found(store), tmp_path / "out" / "file")
    assert not any((tmp_path / "out").iterdir())


def test_half_an_entry_is_none(store: Store) -> None:
    store.put(KEY, b"content", BYTES)
    path = only(store.entries)
    whole = path.read_bytes()
    for size in range(len(whole)):
        store.put(KEY, b"content", BYTES)
        path.write_bytes(whole[:size])
        assert store.find(KEY) is None


def test_an_entry_under_the_name_of_another_is_none(store: Store) -> None:
    store.put(KEY, b"content", BYTES)
    store.put(OTHER, b"other", BYTES)
    store.entry_path(KEY).replace(store.entry_path(OTHER))
    assert store.find(OTHER) is None


def test_a_store_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o777)
    with pytest.raises(UnsafeStoreError, match="chmod go-w"):
        Store(tmp_path / "store")


def test_a_store_where_a_file_is_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(UsageError, match="cannot use the store"):
        Store(tmp_path / "store")


# -- upkeep ------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"some bytes", LARGE], ids=["small", "large"])
def test_verify_names_the_entry_with_a_flipped_bit(store: Store, content: bytes) -> None:
    store.put(OTHER, b"whole", BYTES)
    store.put(KEY, content, BYTES)
    assert not list(upkeep.verify(store))
    inside = store.find(KEY)
    assert inside is not None
    held = inside.held is not None
    flip(store.entry_path(KEY) if held else store.content_path(inside.content), 70)
    assert [damage.key for damage in upkeep.verify(store)] == [KEY]


@pytest.fixture
def manual() -> Iterator[clock.ManualClock]:
    with clock.replaced(clock.ManualClock(clock.now())) as manual:
        assert isinstance(manual, clock.ManualClock)
        yield manual


def test_what_was_not_used_for_long_goes_first(store: Store) -> None:
    for place, key in enumerate(("a" * 64, "b" * 64, "c" * 64)):
        store.put(key, bytes([place]) * 20_000, BYTES)
        os.utime(store.entry_path(key), (place, place))
    os.utime(store.entry_path("a" * 64), (9, 9))
    cleared = upkeep.gc(store, max_size=45_000)
    assert [one.entry.key[0] for one in cleared.entries] == ["b"]
    assert (cleared.contents, store.find("b" * 64)) == (1, None)
    assert store.read(found(store, "a" * 64)) == bytes(20_000)


def test_a_hit_makes_an_entry_young_again(store: Store, manual: clock.ManualClock) -> None:
    for key in (KEY, OTHER):
        store.put(key, b"content", BYTES)
        os.utime(store.entry_path(key), (0, 0))
    found(store, OTHER)
    cleared = upkeep.gc(store, max_age_s=3600)
    assert [one.entry.key for one in cleared.entries] == [KEY]


def test_a_dry_run_leaves_everything(store: Store) -> None:
    store.put(KEY, LARGE, BYTES)
    cleared = upkeep.gc(store, max_size=0, dry_run=True)
    assert (len(cleared.entries), cleared.contents) == (1, 1)
    assert cleared.freed > len(LARGE)
    assert store.read(found(store)) == LARGE


def test_a_content_stays_as_long_as_one_entry_needs_it(store: Store) -> None:
    store.put(KEY, LARGE, BYTES)
    store.put(OTHER, LARGE, BYTES)
    os.utime(store.entry_path(KEY), (0, 0))
    upkeep.gc(store, max_age_s=3600)
    assert store.find(KEY) is None
    assert store.read(found(store, OTHER)) == LARGE


def test_a_content_that_nothing_refers_to_goes_once_it_is_old(
    store: Store, manual: clock.ManualClock
) -> None:
    store.put(KEY, LARGE, BYTES)
    store.discard(KEY)
    assert upkeep.gc(store).contents == 0
    manual.sleep(upkeep.GRACE_S + 60)
    assert upkeep.gc(store).contents == 1
    assert not list(store.contents.rglob("?" * 64))


def test_what_is_being_written_is_left_alone(store: Store) -> None:
    from dlg_engine.reuse.files import temporary_name

    (store.under_way / temporary_name()).write_bytes(b"half")
    assert upkeep.gc(store, max_size=0).leftovers == 0


# -- several processes -------------------------------------------------------------------------

WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from dlg_engine.reuse.store import Facts, Store
    store = Store(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[2])):
        key = f"{number % 20:064x}"
        store.put(key, key.encode() * (10 if number % 2 else 4000), Facts(form="bytes"))
""")


def writer(store: Store, number: int) -> subprocess.Popen[str]:
    """Return a process that is about to put things into the store."""
    command = [sys.executable, "-c", WRITER, str(store.root), str(number)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def whole(store: Store) -> int:
    """Return how many entries there are, each of which is served as it was put."""
    count = 0
    for number in range(20):
        key = f"{number:064x}"
        entry = store.find(key)
        if entry is not None:
            assert store.read(entry) == key.encode() * (10 if number % 2 else 4000)
            count += 1
    return count


def test_processes_that_put_the_same_at_once_do_not_disturb_each_other(store: Store) -> None:
    processes = [writer(store, 100) for _ in range(3)]
    for process in processes:
        go(process)
    for process in processes:
        with process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    assert whole(store) == 20
    assert not list(upkeep.verify(store))
    assert not any(store.under_way.iterdir())


@pytest.mark.slow
def test_after_a_kill_at_any_moment_nothing_torn_is_served_and_leftovers_go(store: Store) -> None:
    chance = random.Random(2)
    for _ in range(10):
        with writer(store, 100_000) as process:
            go(process)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.001, 0.2))
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        whole(store)
        assert not list(upkeep.verify(store))
    upkeep.gc(store)
    assert not any(store.under_way.iterdir())
