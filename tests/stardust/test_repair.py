"""Repair signs nothing that only the folder itself says."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from omniva_dagster.stardust.checkpoints import latest_checkpoint
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.repair import Repaired, repair
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.state.tables import ledger_lease, ledger_segments
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench, parquet_files


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A ledger of two packets under a checkpoint each, of which an anchor was told."""
    made = Bench.at(tmp_path / "home")
    for hours, name in enumerate("ab"):
        made.emit(name)
        now = FIRST_DAY + timedelta(hours=hours)
        sequence(made.store, made.layout, now=now, anchor=str(tmp_path / "anchor.txt"))
    return made


@pytest.fixture
def forged(bench: Bench, tmp_path: Path) -> Bench:
    """Another history with the stolen key, its own state store, and no checkpoints."""
    made = Bench.at(tmp_path / "forged")
    with bench.store.read() as connection:
        origin = connection.scalar(sa.select(ledger_lease.c.origin))
    with made.store.begin() as connection:
        connection.execute(ledger_lease.update().values(origin=origin))
        # So that the key is taken for the log's own.
    made.layout.root.mkdir()
    shutil.copytree(bench.layout.keys, made.layout.keys)
    made.emit("a", "other")
    sequence(made.store, made.layout, now=FIRST_DAY)
    forget(made)
    return made


def forget(bench: Bench) -> None:
    """Remove all checkpoints."""
    for path in bench.layout.checkpoints.iterdir():
        path.unlink()


def repaired(bench: Bench, **options: str) -> Repaired:
    return repair(bench.store, bench.layout, now=SECOND_DAY, **options)  # type: ignore[arg-type]


def root(bench: Bench) -> str:
    """What the state store remembers."""
    with bench.store.read() as connection:
        query = sa.select(ledger_segments.c.root).order_by(ledger_segments.c.first_leaf.desc())
        return str(connection.scalar(query.limit(1)))


@pytest.mark.spec("STA-2")
def test_lost_checkpoints_are_signed_again_only_by_someone_who_names_the_root(bench: Bench) -> None:
    kept = latest_checkpoint(bench.layout.checkpoints)
    forget(bench)
    bench.emit("c")
    with pytest.raises(LedgerError, match=r"latest\.txt is missing .*restore checkpoints/"):
        sequence(bench.store, bench.layout, now=FIRST_DAY)
    with pytest.raises(LedgerError, match=f"none of the packets.*{root(bench)}.*--accept-root"):
        repaired(bench)
    with pytest.raises(LedgerError, match="not the one you accept"):
        repaired(bench, accept_root="0" * 64)
    assert list(bench.layout.checkpoints.iterdir()) == []
    repaired(bench, accept_root=root(bench).upper())
    assert latest_checkpoint(bench.layout.checkpoints) == kept
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    assert verify(bench.layout, store=bench.store).consistent


def test_an_anchor_that_agrees_is_enough(bench: Bench, tmp_path: Path) -> None:
    forget(bench)
    repaired(bench, anchor=str(tmp_path / "anchor.txt"))
    assert verify(bench.layout, store=bench.store).consistent


def test_a_forged_history_is_not_signed_where_an_anchor_disagrees(
    forged: Bench, tmp_path: Path
) -> None:
    for options in ({}, {"accept_root": root(forged)}):
        with pytest.raises(LedgerError, match="history was rewritten, so nothing is signed"):
            repaired(forged, anchor=str(tmp_path / "anchor.txt"), **options)
    with pytest.raises(LedgerError, match="--accept-root"):
        repaired(forged)
    assert list(forged.layout.checkpoints.iterdir()) == []


def test_an_anchor_that_disagrees_stops_a_repair_even_under_a_checkpoint(
    forged: Bench, tmp_path: Path
) -> None:
    repaired(forged, accept_root=root(forged))
    with pytest.raises(LedgerError, match="history was rewritten"):
        repaired(forged, anchor=str(tmp_path / "anchor.txt"))


def test_an_anchor_that_knows_more_packets_stops_a_repair(bench: Bench, tmp_path: Path) -> None:
    young = Bench.at(tmp_path / "young")
    with bench.store.read() as connection:
        origin = connection.scalar(sa.select(ledger_lease.c.origin))
    with young.store.begin() as connection:
        connection.execute(ledger_lease.update().values(origin=origin))
    young.layout.root.mkdir()
    shutil.copytree(bench.layout.keys, young.layout.keys)
    young.emit("a")
    sequence(young.store, young.layout, now=FIRST_DAY)
    with pytest.raises(LedgerError, match="is of 2 packets, and there are 1"):
        repaired(young, anchor=str(tmp_path / "anchor.txt"))


def test_an_older_checkpoint_vouches_for_its_own_packets_alone(bench: Bench) -> None:
    (bench.layout.checkpoints / "2.txt").unlink()
    (bench.layout.checkpoints / "latest.txt").unlink()
    with pytest.raises(LedgerError, match="only the first 1 of 2 packets"):
        repaired(bench)


def test_a_lost_latest_is_written_again_from_its_numbered_twin(bench: Bench) -> None:
    (bench.layout.checkpoints / "latest.txt").unlink()
    repaired(bench)
    assert verify(bench.layout, store=bench.store).consistent


@pytest.mark.parametrize("state", ["appended", "rewritten"])
def test_a_store_that_is_made_to_forget_what_was_signed_does_not_get_it_signed(
    bench: Bench, state: str
) -> None:
    forget(bench)
    with bench.store.begin() as connection:
        connection.execute(ledger_segments.update().values(state=state))
    with pytest.raises(LedgerError, match=r"latest\.txt is missing"):
        sequence(bench.store, bench.layout, now=SECOND_DAY)
    with pytest.raises(LedgerError, match="--accept-root"):
        repaired(bench)


def test_a_changed_file_is_named_before_anything_is_signed(bench: Bench) -> None:
    forget(bench)
    path = next(parquet_files(bench.layout))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LedgerError, match=f"{path.name} is not what was written there"):
        repaired(bench, accept_root=root(bench))
    assert list(bench.layout.checkpoints.iterdir()) == []
