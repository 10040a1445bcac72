"""What frames may be, and what a greeting proves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg_engine.proxy.frames import (
    GREETING_BYTES,
    HEAD_BYTES,
    PIECE_BYTES,
    PREFIX,
    WINDOW_BYTES,
    AnswerHead,
    Frame,
    Kind,
    LinkError,
    credit_frame,
    head_frame,
    read_credit,
    read_head,
    unpack_prefix,
)
from dlg_engine.proxy.greeting import check_id, is_proof, link_key, new_nonce, proof

NUMBERS = st.integers(0, 2**32 - 1)


@given(st.sampled_from(Kind), NUMBERS, st.binary(max_size=200))
def test_a_frame_is_read_as_it_was_written(kind: Kind, exchange: int, content: bytes) -> None:
    packed = Frame(kind, exchange, content).packed()
    assert unpack_prefix(packed[: PREFIX.size]) == (kind, exchange, len(content))
    assert packed[PREFIX.size :] == content


@given(st.integers(0, 255), NUMBERS, NUMBERS)
def test_nothing_is_read_that_is_too_big_or_no_frame(kind: int, exchange: int, size: int) -> None:
    try:
        found = unpack_prefix(PREFIX.pack(kind, exchange, size))
    except LinkError:
        assert kind not in set(Kind) or size > (PIECE_BYTES if kind == Kind.DATA else HEAD_BYTES)
    else:
        assert found[2] <= HEAD_BYTES


def test_before_the_greeting_only_little_is_read() -> None:
    with pytest.raises(LinkError, match="too many"):
        unpack_prefix(PREFIX.pack(Kind.GREET, 0, GREETING_BYTES + 1), GREETING_BYTES)


@given(st.integers(1, WINDOW_BYTES))
def test_a_credit_is_read_as_it_was_written(size: int) -> None:
    assert read_credit(credit_frame(3, size).content) == size


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"\xff\xff\xff\xff"])
def test_a_credit_of_nothing_or_of_too_much_is_refused(content: bytes) -> None:
    with pytest.raises(LinkError, match="credit"):
        read_credit(content)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"status": "x", "headers": []}', b'{"a": 1}'])
def test_a_head_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(LinkError, match="no AnswerHead"):
        read_head(content, AnswerHead)


def test_a_head_that_is_too_big_is_not_sent() -> None:
    with pytest.raises(LinkError, match="too big"):
        head_frame(Kind.ANSWER, 1, AnswerHead(200, [("X", "y" * HEAD_BYTES)]))


def test_a_proof_is_of_one_side_both_numbers_the_id_and_the_token() -> None:
    hello, join = new_nonce(), new_nonce()
    key = link_key("only-for-astronomers")
    right = proof(key, "proxy", hello, join, "site")
    assert is_proof(right, proof(key, "proxy", hello, join, "site"))
    others = [
        proof(key, "monitor", hello, join, "site"),
        proof(key, "proxy", new_nonce(), join, "site"),
        proof(key, "proxy", hello, new_nonce(), "site"),
        proof(key, "proxy", hello, join, "other"),
        proof(link_key("another-token-of-some"), "proxy", hello, join, "site"),
        "", "\N{SNOWMAN}",
    ]  # fmt: skip
    assert not any(is_proof(other, right) for other in others)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".a", "a b", "x" * 64, "api", "static", "\n"])
def test_what_cannot_be_part_of_an_address_is_no_id(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the id"):
        check_id(name)
