"""What waits of many senders."""

from __future__ import annotations

from logshed.pipeline.receive_queue import FairQueue


def test_a_sender_of_little_does_not_wait_for_a_flood() -> None:
    queue: FairQueue[str] = FairQueue(10_000)
    for number in range(25):
        queue.put("flood", f"flood{number}", 100)
    queue.put("calm", "calm0", 100)
    queue.put("calm", "calm1", 100)
    assert [one for one in queue.take(500) if one.startswith("calm")] == ["calm0", "calm1"]
    assert queue.size == 2_700 - 500


def test_senders_have_as_many_bytes_whatever_the_size_of_their_requests() -> None:
    queue: FairQueue[str] = FairQueue(10**6)
    for number in range(10):
        queue.put("large", f"large{number}", 1_000)
    for number in range(1_000):
        queue.put("small", f"small{number}", 10)
    taken = queue.take(10_000)
    assert abs(sum(one.startswith("large") for one in taken) * 1_000 - 5_000) <= 1_000


def test_the_items_of_a_sender_keep_their_order_and_all_are_given_out() -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(10**6)
    for number in range(300):
        queue.put("abc"[number % 3], ("abc"[number % 3], number), number % 7 + 1)
    given: list[tuple[str, int]] = []
    while taken := queue.take(50):
        given += taken
    assert len(given) == 300
    assert (queue.size, len(queue)) == (0, 0)
    for sender in "abc":
        own = [number for name, number in given if name == sender]
        assert own == sorted(own)


def test_one_sender_cannot_fill_the_room() -> None:
    queue: FairQueue[int] = FairQueue(1_000)
    while queue.has_room("flood", 50):
        queue.put("flood", 0, 50)
    assert queue.size == 250
    assert queue.has_room("calm", 50)


def test_a_large_item_of_a_sender_without_others_is_let_in_while_there_is_any_room() -> None:
    queue: FairQueue[int] = FairQueue(1_000)
    assert queue.has_room("one", 5_000)
    queue.put("one", 0, 5_000)
    assert not queue.has_room("two", 1)
    assert queue.take(1) == [0]
    assert queue.has_room("two", 1)


def test_a_sender_who_waits_for_each_answer_gets_no_more_than_others() -> None:
    queue: FairQueue[str] = FairQueue(10**6)
    for _ in range(100):
        queue.put("many", "many", 10)
    queue.put("one", "one", 1_000)
    served = {"many": 0, "one": 0}
    for _ in range(60):
        (taken,) = queue.take(1)
        served[taken] += 1
        if taken == "one":
            queue.put("one", "one", 1_000)
    assert served == {"many": 59, "one": 1}
