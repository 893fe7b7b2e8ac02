"""How subjects stand, for tests of Zenith's decisions."""

from __future__ import annotations

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import creator_id_of, derive_id, worker_id_of
from omniva_dagster.engines.zenith import Decision, Dossier, Ground, Standing, decide
from tests.engines.zenith_words import CLIP, NOW, OTHER, word

ADA = creator_id_of("ada")


EDITOR = worker_id_of("editor")


def promoted(subject_id: str = CLIP) -> Directive:
    """A promotion by the judges."""
    return Directive(
        directive_id=derive_id("directive", "promote", subject_id),
        kind=DirectiveKind.PROMOTE,
        subject_id=subject_id,
        owner="editor",
        reason="number 1 of 3",
        evidence=[derive_id("packet", "candidate", subject_id)],
        rollback="cancel",
        issued_at=NOW,
    )


def held(rule: str, cause: str = "x", kind: DirectiveKind = DirectiveKind.HOLD) -> Ground:
    """A ground in force."""
    return Ground(
        derive_id("cause", cause),
        derive_id("packet", cause),
        rule,
        kind,
        f"{rule} said so",
        derive_id("directive", cause),
    )


def heard(*documents: Document, standings: tuple[Standing, ...] = ()) -> Decision:
    """What follows from these words, said in this order."""
    words = tuple(word(document, place) for place, document in enumerate(documents, 1))
    known = {standing.subject_id: standing for standing in standings}
    return decide(Dossier(now=NOW, words=words, standings=known))


def kinds(decision: Decision) -> list[tuple[str, str]]:
    """Kind and subject of each directive."""
    return [(item.kind.value, item.subject_id) for item in decision.directives]


SUBJECTS = ((CLIP, "clip"), (OTHER, "clip"), (ADA, "creator"), (EDITOR, "worker"))
