from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.managers.news import News
from dlg_engine.managers.numbering import BATCH, IN_FLIGHT, Batch, Inbox, Outbox


def news(i: int) -> News:
    return News("night", str(i), "n1", 2)


@given(st.lists(st.sampled_from(["put", "send", "lose", "repeat", "ack", "again"]), max_size=80))
def test_whatever_a_link_does_all_news_arrive_once_and_in_order(steps: list[str]) -> None:
    outbox, inbox = Outbox(), Inbox()
    put, taken = 0, []
    seen: list[Batch] = []
    for step in [*steps, "again", "send", "ack", "send", "ack"]:
        if step == "put":
            outbox.put(news(put))
            put += 1
        elif step in {"send", "lose"}:
            for batch in outbox.batches():
                seen.append(batch)
                if step == "send":
                    taken += inbox.take("one", batch)
        elif step == "repeat" and seen:
            taken += inbox.take("one", seen[len(seen) // 2])
        elif step == "ack":
            outbox.acknowledged(inbox.expected)
        elif step == "again":
            outbox.again()
    assert [one.oid for one in taken] == [str(i) for i in range(put)]
    assert not outbox.unacknowledged
    assert not outbox.kept


def test_a_batch_after_a_gap_is_not_taken() -> None:
    inbox = Inbox("one", 3)
    assert inbox.take("one", Batch(5, 3, [news(5)])) == []
    assert inbox.expected == 3


def test_numbers_begin_where_a_new_life_says() -> None:
    inbox = Inbox("one", 100)
    assert [n.oid for n in inbox.take("two", Batch(7, 7, [news(7)]))] == ["7"]
    assert inbox.expected == 8


def test_only_so_many_are_on_their_way() -> None:
    outbox = Outbox()
    for i in range(IN_FLIGHT + 10):
        outbox.put(news(i))
    batches = list(outbox.batches())
    assert sum(len(batch.news) for batch in batches) == IN_FLIGHT
    assert max(len(batch.news) for batch in batches) == BATCH
    outbox.acknowledged(5)
    assert [len(batch.news) for batch in outbox.batches()] == [5]


def test_an_old_acknowledgement_changes_nothing() -> None:
    outbox = Outbox()
    for i in range(3):
        outbox.put(news(i))
    list(outbox.batches())
    outbox.acknowledged(3)
    outbox.acknowledged(1)
    assert (outbox.oldest, outbox.sent, len(outbox.kept)) == (3, 3, 0)
