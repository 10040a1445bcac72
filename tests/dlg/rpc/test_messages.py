from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.rpc.messages import LARGEST, PackingError, pack_body, unpack_body

atoms = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.complex_numbers(allow_nan=False), st.datetimes(), st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
keys = st.one_of(st.text(), st.booleans(), st.integers(-(2**63), 2**64 - 1))
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.frozensets(atoms, max_size=4),
        st.sets(atoms, max_size=4),
    ),
    max_leaves=12,
)


@given(st.lists(values, max_size=3), st.dictionaries(st.text(), values, max_size=3))
def test_what_is_sent_arrives_as_it_was(args: list[Any], kwargs: dict[str, Any]) -> None:
    body = unpack_body(pack_body("method", tuple(args), kwargs))
    assert (body.method, body.args, body.kwargs) == ("method", args, kwargs)
    assert [type(a) for a in body.args] == [type(a) for a in args]


@pytest.mark.parametrize("value", [object(), len, ValueError("x"), np.zeros(3), bytearray(b"x")])
def test_what_has_no_place_in_a_call_is_named(value: object) -> None:
    with pytest.raises(PackingError, match="argument 'x': a .* cannot be sent in a call"):
        pack_body("method", (), {"x": [value]})


@pytest.mark.parametrize("key", [(1, 2), 2**70, 1j, date(2024, 1, 1)])
def test_a_key_that_cannot_be_one_is_refused(key: Any) -> None:
    with pytest.raises(PackingError, match="argument 0: .* cannot be a key"):
        pack_body("method", ({key: 1},), {})


def test_a_number_of_numpy_arrives_as_a_number() -> None:
    body = unpack_body(pack_body("method", (np.float64(0.5), np.int16(3)), {}))
    assert body.args == [0.5, 3]
    assert [type(a) for a in body.args] == [float, int]


def test_a_call_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(PackingError, match=r"the call of 'put' has 32 MiB.*which stream it"):
        pack_body("put", (bytes(LARGEST + 1),), {})


@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x80\x04\x95", b"\x93\x01\x02\x03"])
def test_bytes_that_are_no_call_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpack_body(packed)


def test_dates_keep_their_zone() -> None:
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert unpack_body(pack_body("method", (moment,), {})).args == [moment]
