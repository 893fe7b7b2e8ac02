"""Proofs to give away: that a packet is in the log, and that the log only grew.

A proof is one JSON document that is checked with nothing but itself and something that the checker
trusts: a public key of the log, or a checkpoint they kept. It holds the packet's entry and message,
so it says what was recorded, not only that something was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

import rfc8785

from omniva_dagster.contracts.cognition.stardust import InclusionProof, LedgerPacket
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.types import UUID4_PATTERN
from omniva_dagster.stardust.checkpoints import LATEST, Checkpoint, read_checkpoint, verified
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.faults import faults_of
from omniva_dagster.stardust.hashes import HashFiles
from omniva_dagster.stardust.keys import Key, Keyring, introduced
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.lookup import find_row
from omniva_dagster.stardust.merkle import (
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from omniva_dagster.stardust.notes import NoteError, PublicKey

T = TypeVar("T")
_INCLUSION = "omniva-ledger-inclusion"
_CONSISTENCY = "omniva-ledger-consistency"
_UNSOUND = "the log on disk does not have the root that is signed: run `omniva ledger verify`"
_CHANGED = "its file or the log on disk was changed: run `omniva ledger verify`, which says which"


class ProofError(LedgerError):
    """A proof that does not prove what it claims."""


@dataclass(frozen=True)
class Proven:
    """What an inclusion proof shows: this entry, with this message, is in that log."""

    entry: dict[str, Any]
    message: dict[str, Any]
    checkpoint: Checkpoint


def prove(layout: Layout, packet_id: str, *, size: int | None = None) -> dict[str, Any]:
    """That a packet is in the log, under the latest checkpoint or the one of ``size`` packets.

    Raises `LedgerError` for a packet that is not there: no proof can be made of it.
    """
    if not re.fullmatch(UUID4_PATTERN[1:-1], packet_id):
        raise LedgerError(f"{packet_id!r} is no packet id: 36 characters, as in a UUID")
    keyring = Keyring.read(layout.keys)
    checkpoint = _checkpoint(layout, keyring, size)
    found = find_row(layout, packet_id)
    if found is None:
        raise LedgerError(
            f"no packet {packet_id} is in the ledger: is it sequenced (`omniva ledger sync`), and "
            "are all files there (`omniva ledger verify`)?"
        )
    leaf = json.loads(found.leaf)
    index = leaf["leaf_index"]
    if index >= checkpoint.size:
        raise LedgerError(
            f"packet {packet_id} is leaf {index}, not under the checkpoint of {checkpoint.size}; "
            "run `omniva ledger sync` for a newer one"
        )
    log = HashFiles(layout.log)
    proof = InclusionProof(
        packet_id=packet_id,
        content_hash=leaf["content_hash"],
        tree_size=checkpoint.size,
        leaf_index=index,
        path=[step.hex() for step in inclusion_path(log.node, index, checkpoint.size)],
        root_hash=checkpoint.root.hex(),
    )
    document = {
        "format": _INCLUSION,
        "version": 1,
        "entry": leaf,
        "message": found.message,
        "inclusion": proof.dump(),
        **_signed(checkpoint, keyring),
    }
    try:
        verify_proof(document, trusted=map(str, keyring.publics[:1]))
    except ProofError as error:
        raise LedgerError(f"packet {packet_id} can't be proven ({error}): {_CHANGED}") from None
    return document


def verify_proof(
    document: Mapping[str, Any] | str | bytes,
    *,
    trusted: Iterable[str] = (),
    checkpoint: str | None = None,
) -> Proven:
    """What an inclusion proof shows to someone who trusts a public key or a checkpoint's note.

    A key is trusted together with those it introduced. Raises `ProofError` naming what is wrong.
    """
    said = _opened(document, _INCLUSION)
    try:
        entry = _field(said, "entry", dict)
        message = _field(said, "message", str)
        proof = InclusionProof.parse(said["inclusion"])
        LedgerPacket.parse(entry)
        leaf = leaf_hash(rfc8785.dumps(entry))
        content_hash = sha256(message.encode()).hexdigest()
        signed = read_checkpoint(_field(said, "checkpoint", str))[0]
    except (KeyError, TypeError, ValueError, ContractError, NoteError) as error:
        raise ProofError(f"the proof is malformed: {error}") from None
    _trust(said, signed, tuple(trusted), checkpoint)
    if (proof.tree_size, proof.root_hash) != (signed.size, signed.root.hex()):
        raise ProofError("the proof is about another checkpoint than the one in it")
    if (proof.packet_id, proof.leaf_index) != (entry["packet_id"], entry.get("leaf_index")):
        raise ProofError("the proof is about another packet than the entry in it")
    if proof.content_hash != content_hash:
        raise ProofError("the message is not the one that was recorded: its hash differs")
    wrong = next(faults_of({**entry, "message": message}), None)
    if wrong:
        raise ProofError(f"the entry's {wrong[0]} {wrong[1]}")
    path = [bytes.fromhex(step) for step in proof.path]
    if not verify_inclusion(leaf, proof.leaf_index, signed.size, path, signed.root):
        raise ProofError("the entry is not in the log that the checkpoint signs")
    return Proven(entry, json.loads(message), signed)


def consistency(layout: Layout, old: int, new: int | None = None) -> dict[str, Any]:
    """That the log of ``old`` packets is the beginning of that of ``new`` (the latest if None).

    Raises `LedgerError` for a log that never was, and where ``new`` has no checkpoint.
    """
    keyring = Keyring.read(layout.keys)
    checkpoint = _checkpoint(layout, keyring, new)
    log = HashFiles(layout.log)
    try:
        path = consistency_path(log.node, old, checkpoint.size)
    except IndexError as error:
        raise LedgerError(str(error)) from None
    roots = root_at(log.node, old), root_at(log.node, checkpoint.size)
    sound = verify_consistency(old, checkpoint.size, *roots, path)
    if roots[1] != checkpoint.root or not sound:
        raise LedgerError(_UNSOUND)
    return {
        "format": _CONSISTENCY,
        "version": 1,
        "old_size": old,
        "old_root": roots[0].hex(),
        "path": [step.hex() for step in path],
        **_signed(checkpoint, keyring),
    }


def verify_consistency_proof(
    document: Mapping[str, Any] | str | bytes, old: str, *, trusted: Iterable[str] = ()
) -> Checkpoint:
    """The checkpoint up to which the log only grew since ``old``, a checkpoint's note.

    Whoever kept the old checkpoint trusts the key that signed it, unless ``trusted`` says which.
    Raises `ProofError`.
    """
    said = _opened(document, _CONSISTENCY)
    try:
        before = read_checkpoint(old)[0]
        after = read_checkpoint(_field(said, "checkpoint", str))[0]
        path = [bytes.fromhex(step) for step in _field(said, "path", list)]
        size = _field(said, "old_size", int)
        keyring = _keyring(said)
        verified(old, keyring)
        signer = keyring.signer(read_checkpoint(old)[1], before.size)
    except (KeyError, TypeError, ValueError, NoteError) as error:
        raise ProofError(f"the proof or the old checkpoint is malformed: {error}") from None
    _trust(said, after, tuple(trusted) or (str(signer),), None)
    if size != before.size:
        raise ProofError(f"the proof starts from {size} packets, the old checkpoint has more")
    if not verify_consistency(before.size, after.size, before.root, after.root, path):
        raise ProofError("the newer log does not begin with the older one: it was rewritten")
    return after


def _checkpoint(layout: Layout, keyring: Keyring, size: int | None) -> Checkpoint:
    path = layout.checkpoints / (LATEST if size is None else f"{size}.txt")
    try:
        return verified(path.read_bytes(), keyring)
    except FileNotFoundError:
        what = "no checkpoint" if size is None else f"no checkpoint of {size} packets"
        raise LedgerError(
            f"the ledger has {what}: `omniva ledger sync` signs one, or says why not"
        ) from None
    except NoteError as error:
        raise LedgerError(
            f"checkpoints/{path.name} {error}: run `omniva ledger verify`, which says what to do"
        ) from None


def _signed(checkpoint: Checkpoint, keyring: Keyring) -> dict[str, Any]:
    return {
        "checkpoint": checkpoint.note,
        "first_key": str(keyring.keys[0].public),
        "rotations": [key.introduced_by for key in keyring.keys[1:]],
    }


def _keyring(said: Mapping[str, Any]) -> Keyring:
    keys = [Key(PublicKey.parse(_field(said, "first_key", str)), 0)]
    for note in _field(said, "rotations", list):
        keys.append(introduced(keys[-1], note))
    return Keyring(tuple(keys))


def _trust(
    said: Mapping[str, Any], signed: Checkpoint, trusted: tuple[str, ...], kept: str | None
) -> None:
    """Whether the proof's checkpoint is to be believed."""
    try:
        if kept is not None:
            own = read_checkpoint(kept)[0]
            if (own.origin, own.size, own.root) != (signed.origin, signed.size, signed.root):
                raise ProofError(
                    f"the proof is under a checkpoint of {signed.size} packets, not under yours of "
                    f"{own.size}: ask for one with `omniva ledger prove --size {own.size}`"
                )
            return
        keyring = _keyring(said)
        signer = keyring.signer(read_checkpoint(signed.note)[1], signed.size)
        keys = [str(key) for key in keyring.publics]
        believed = [keys.index(key.strip()) for key in trusted if key.strip() in keys]
        if signer.name != signed.origin:
            raise ProofError(f"the checkpoint of {signed.origin} is signed by {signer.name}")
    except (KeyError, TypeError, AttributeError, NoteError) as error:
        raise ProofError(f"the checkpoint can't be believed: {error}") from None
    if not believed or keys.index(str(signer)) < min(believed):
        raise ProofError(
            f"the checkpoint is signed by {signer}, which is no key that you trust: compare it "
            "with the one that the ledger's owner gave you"
        )


def _field(said: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = said[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{name} is no {kind.__name__}")
    return value


def _opened(document: Mapping[str, Any] | str | bytes, kind: str) -> Mapping[str, Any]:
    try:
        said = document if isinstance(document, Mapping) else json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ProofError(f"is no JSON: {error}") from None
    if not isinstance(said, Mapping) or (said.get("format"), said.get("version")) != (kind, 1):
        raise ProofError(f"is no document of the format {kind}, version 1")
    return said
