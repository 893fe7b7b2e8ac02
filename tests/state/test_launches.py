"""Each run is launched by one process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from omniva_dagster.state import launches
from omniva_dagster.state.store import Store
from tests.state.support import NOW

RUN = "7a9c0f0e-52a4-4a54-8b7e-1d0f6d3c2b11"


def _take(store: Store, run_id: str = RUN) -> bool:
    with store.begin() as connection:
        return launches.take(connection, run_id, "a-host", NOW)


def test_a_launch_is_taken_once(store: Store) -> None:
    assert _take(store)
    assert not _take(store)
    assert _take(store, RUN.replace("7", "8"))


def test_a_launch_that_came_to_nothing_may_be_taken_again(store: Store) -> None:
    assert _take(store)
    with store.begin() as connection:
        launches.give_back(connection, RUN)
    assert _take(store)


def test_of_many_that_take_a_launch_at_once_one_gets_it(store_url: str, store: Store) -> None:
    together = threading.Barrier(8)

    def take() -> bool:
        own = Store(store_url)
        try:
            together.wait(60)
            return _take(own)
        finally:
            own.close()

    with ThreadPoolExecutor(8) as pool:
        taken = [pool.submit(take) for _ in range(8)]
    assert sum(future.result() for future in taken) == 1
