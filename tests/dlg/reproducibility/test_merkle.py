"""Trees of hashes: their roots, and what changes them."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from dlg.reproducibility.merkle import root_of, root_of_fields, signature_of_leaves

items = st.lists(st.text(max_size=4), min_size=1, max_size=20)


def sha3(data: bytes) -> bytes:
    return hashlib.sha3_256(data).digest()


def slow_root(texts: list[str]) -> bytes:
    """Return the root by its definition: the tree over all but the last complete halves."""
    nodes = [sha3(b"\0" + text.encode()) for text in texts]

    def over(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        half = 1
        while half * 2 < len(part):
            half *= 2
        return sha3(b"\1" + over(part[:half]) + over(part[half:]))

    return over(nodes)


@given(items)
def test_the_root_is_that_of_the_tree_by_its_definition(texts: list[str]) -> None:
    assert root_of(texts) == slow_root(texts).hex()


@given(items, st.data())
def test_no_item_can_change_without_changing_the_root(
    texts: list[str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(texts) - 1))
    other = [*texts[:place], texts[place] + "!", *texts[place + 1 :]]
    assert root_of(other) != root_of(texts)


def test_an_inner_node_cannot_be_passed_off_as_an_item() -> None:
    left, right = (sha3(b"\0" + text) for text in (b"a", b"b"))
    node = (left + right).decode("latin-1")
    assert root_of([node]) != root_of(["a", "b"])


def test_no_items_have_no_root() -> None:
    assert root_of([]) is None
    assert root_of_fields({}) is None
    assert signature_of_leaves([]) is None


def test_numbers_and_their_texts_are_different_values_of_a_field() -> None:
    assert root_of_fields({"n": 1}) != root_of_fields({"n": "1"})


def test_the_order_of_the_last_drops_does_not_matter_to_the_signature() -> None:
    assert signature_of_leaves(["a", "b"]) == signature_of_leaves(["b", "a"])


def test_a_tree_of_a_hundred_thousand_items_takes_no_recursion() -> None:
    assert root_of(range(100_000)) is not None
