from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.http.answers import as_file, as_json, as_text
from dlg.http.errors import NotFoundError


def test_a_file_is_sent_in_pieces_under_a_safe_name(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a.log").write_bytes(content)
    answer = as_file(tmp_path / "a.log", download='../"a.log')
    body: Any = answer.body
    pieces = list(body)
    assert b"".join(pieces) == content
    assert len(pieces) > 1
    assert answer.headers["Content-Disposition"] == 'attachment; filename="..a.log"'


@pytest.mark.parametrize("name", ["none.log", "."])
def test_a_file_that_cannot_be_read_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError, match="cannot be read"):
        as_file(tmp_path / name)


def test_any_status_may_be_given() -> None:
    assert (as_json([1], 555).status, as_json([1], 555).body) == (555, b"[1]")
    assert as_text("é").body == "é".encode()
