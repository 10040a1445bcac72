"""Whether what a block is to make is in the cache already, and what is left of other runs.

What is in a cache is known by the signatures in its manifests: each is made of the signature of
the block (`dlg.beat.signatures`) and of those of its inputs, down to the contents of the indices
of databases. Files without one, as the existing system writes them, count as inputs by their
checksums, but never as what a block would make: their names do not tell of libraries and views.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlg.beat.cache_files import (
    CacheError,
    MissingCacheError,
    Part,
    checksum_of,
    load_data_index,
    load_data_index_db,
    part_of,
    parts,
    read_manifest,
    verified,
    withdraw,
)
from dlg.beat.indices import Interval, foundSplitRanges
from dlg.beat.signatures import output_signature

Block = Mapping[str, Any]


def range_of_slot(block: Block, cache: str | Path, slot: int, slots: int) -> Interval | None:
    """Return the range of data indices of one of so many slots, the first of which is 0.

    There may be fewer ranges than slots: then the last ones have None. Only inputs on the block's
    channel are cut. Raises `CacheError` if one of them is not there or not whole.
    """
    lists: list[list[int]] = []
    for path in _paths_on(block, block["channel"]):
        if path.endswith(".db"):
            columns = load_data_index_db(str(cache), path)
            if columns is None:
                raise MissingCacheError(f"{Path(cache, path)} is not there: index the set first")
            lists += columns
        else:
            lists.append(load_data_index(str(cache), path))
    ranges = foundSplitRanges(lists, slots)
    return ranges[slot] if slot < len(ranges) else None


def _paths_on(block: Block, channel: str) -> list[str]:
    inputs = block["inputs"].values()
    return list(dict.fromkeys(one["path"] for one in inputs if one["channel"] == channel))


def signed(block: Block, cache: str | Path, signature: str) -> dict[str, Any]:
    """Return `block` with a signature for each output: made of its own and those of its inputs.

    Raises `CacheError` if an input is not there or not whole.
    """
    parts_of_block = {"": block, **({"loop": block["loop"]} if "loop" in block else {})}
    inputs = {
        f"{which}/{name}": _content(cache, one["path"])
        for which, part in parts_of_block.items()
        for name, one in part["inputs"].items()
    }
    made_of = json.dumps({"block": signature, "inputs": inputs}, sort_keys=True)
    own = hashlib.sha256(made_of.encode()).hexdigest()
    found = _with_signatures(block, own)
    if "loop" in block:
        found["loop"] = _with_signatures(block["loop"], own)
    return found


def _with_signatures(part: Block, own: str) -> dict[str, Any]:
    found = dict(part)
    if "result" in part:
        found["result"] = {**part["result"], "signature": output_signature(own, "result")}
    if "outputs" in part:
        found["outputs"] = {
            name: {**one, "signature": output_signature(own, one["hash"])}
            for name, one in part["outputs"].items()
        }
    return found


def _content(cache: str | Path, path: str) -> str:
    """Return what the data at a path was made of or, where nobody knows, what it is."""
    place = str(Path(cache, path))
    if path.endswith(".db"):
        try:
            return hashlib.sha256(Path(place).read_bytes()).hexdigest()
        except FileNotFoundError:
            raise MissingCacheError(f"{place} is not there: index the set first") from None
    found = parts(place)
    if not found:
        raise MissingCacheError(f"{place}: there is no data; run the block that makes it")
    manifests = [read_manifest(part) for part in found]
    signatures = {manifest.signature if manifest else None for manifest in manifests}
    if len(signatures) == 1 and (signature := signatures.pop()) is not None:
        return signature
    sums = [f"{part.start} {part.end} {checksum_of(part.file('data'))}" for part in found]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def outputs_of(block: Block) -> Iterator[Mapping[str, Any]]:
    """Yield what is told of each output, of a loop's evaluator too, and of a result."""
    if "result" in block:
        yield block["result"]
    yield from block.get("outputs", {}).values()
    if "loop" in block:
        yield from outputs_of(block["loop"])


def is_made(block: Block, cache: str | Path) -> bool:
    """Return whether all outputs of a signed block are in the cache, whole and made of the same.

    With a `range`, that goes for the parts for just that range, or for all data at once.
    """
    interval = block.get("range")
    return all(_is_there(one, cache, interval) for one in outputs_of(block))


def _is_there(output: Mapping[str, Any], cache: str | Path, interval: Any) -> bool:
    place = str(Path(cache, output["path"]))
    try:
        if interval is not None and _is_part(part_of(place, *interval), output["signature"]):
            return True
        found = verified(place)
        manifests = [read_manifest(part) for part in found]
    except CacheError:
        return False
    # Without knowing how much there should be nobody can tell whether the last part is missing.
    return bool(found) and all(
        manifest is not None
        and manifest.signature == output["signature"]
        and (manifest.whole is not None or len(found) == 1)
        for manifest in manifests
    )


def _is_part(part: Part, signature: str) -> bool:
    if not Path(part.file("data")).exists():
        return False
    manifest = read_manifest(part)
    if manifest is None or manifest.signature != signature:
        return False
    return bool(verified(part.stem.rsplit(".", 2)[0], part.start, part.end))


def make_room(block: Block, cache: str | Path) -> None:
    """Withdraw what other runs have left where a block is about to write.

    With a `range`, only parts that overlap it: the others may be those of the other slots.
    """
    first, last = block.get("range") or (None, None)
    for one in outputs_of(block):
        for part in parts(str(Path(cache, one["path"])), first, last):
            withdraw(part)
