"""A wording while it is worked on, and what rules do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from omniva_dagster.contracts.cognition.chorus import (
    PolicyWords,
    StyleDelta,
    StyledField,
    StylePreferences,
)
from omniva_dagster.engines.chorus import policies
from omniva_dagster.engines.chorus.drafting import (
    HASHTAGS,
    TITLE_LIMIT,
    Draft,
    credited,
    described,
    hashtags,
)
from omniva_dagster.engines.chorus.preferring import Agreed
from omniva_dagster.engines.chorus.seeing import Words
from omniva_dagster.engines.chorus.text import cut, plain, says_something, tidy, units
from omniva_dagster.engines.paradox.compliance import same_title

TITLE, DESCRIPTION, KEYWORDS = StyledField.TITLE, StyledField.DESCRIPTION, StyledField.KEYWORDS


@dataclass(frozen=True)
class Mended:
    """Words that broke a policy, and what was made of them."""

    policy: str
    field: StyledField
    passage: str
    how: str


@dataclass
class Sheet:
    """A wording while it is worked on."""

    clip_id: str
    draft: Draft
    agreed: Agreed
    language: str
    spoken: str
    title: str
    body: str
    source_title: str
    keywords: list[str]
    hashtags: int
    taken: tuple[str, ...] = ()
    instead: str = ""
    extra: list[str] = field(default_factory=list)
    deltas: list[StyleDelta] = field(default_factory=list)
    mended: list[Mended] = field(default_factory=list)

    @property
    def voice(self) -> StylePreferences:
        """How it is to be worded."""
        return self.agreed.style

    @property
    def policies(self) -> Sequence[PolicyWords]:
        """The operator's words beside the rules' own."""
        return self.voice.policies or ()

    @property
    def description(self) -> str:
        """The description of its parts."""
        parts = [self.body, *self.extra, credited(self.source_title, self.draft.source_url)]
        return described(parts, hashtags(self.keywords, self.hashtags))

    @property
    def english(self) -> bool:
        """Whether rules for English words apply."""
        return policies.speaks(policies.ENGLISH, self.language)

    def change(self, rule: str, reason: str, **parts: object) -> None:
        """Change parts of the wording; a delta for each field that comes out otherwise."""
        before = self._fields()
        for name, value in parts.items():
            setattr(self, name, value)
        for styled, after in self._fields().items():
            if after != before[styled]:
                self.deltas.append(
                    StyleDelta(
                        clip_id=self.clip_id,
                        field=styled,
                        before=before[styled],
                        after=after,
                        rule=rule,
                        reason=reason[:2000],
                    )
                )

    def _fields(self) -> dict[StyledField, str]:
        return {
            TITLE: self.title,
            DESCRIPTION: self.description,
            KEYWORDS: "\n".join(self.keywords),
        }


def sheet_of(
    clip_id: str,
    draft: Draft,
    agreed: Agreed,
    language: str,
    spoken: str,
    taken: Iterable[str] = (),
    instead: str = "",
) -> Sheet:
    """A draft before anything is changed; ``taken`` are titles that other clips have, ``instead``
    the draft's title to take for that."""
    return Sheet(
        clip_id,
        draft,
        agreed,
        language,
        spoken,
        draft.title,
        draft.body,
        draft.source_title,
        list(draft.keywords),
        0 if draft.whole else HASHTAGS,
        taken=tuple(same_title(title) for title in taken),
        instead=instead,
    )


def rid(
    sheet: Sheet,
    rule: str,
    reason: str,
    pattern: Words,
    instead: Callable[[str], str],
    *,
    other_title: bool = False,
) -> None:
    """Take a pattern out of all fields; of the title by another sentence where there is one."""
    title = sheet.title
    if pattern.inside(title):
        clean = next_title(sheet, pattern) if other_title else ""
        bare = one_line(pattern.sub(instead, title))
        title = clean or (bare if says_something(bare) else untitled(sheet, pattern))
    sheet.change(
        rule,
        reason,
        title=title,
        body=tidy(pattern.sub(instead, sheet.body)) if pattern.inside(sheet.body) else sheet.body,
        source_title=pattern.sub(instead, sheet.source_title),
        keywords=[keyword for keyword in sheet.keywords if not pattern.inside(keyword)],
    )


def mend(
    sheet: Sheet,
    policy: str,
    pattern: Words,
    how: str,
    instead: Callable[[str], str],
    *,
    other_title: bool = False,
    empty_title: bool = False,
) -> None:
    """Mend what breaks a policy in all fields, and note what it was. With ``empty_title`` the title
    goes without it, with ``other_title`` another sentence is the title where there is one."""
    where: Mapping[StyledField, str] = {
        TITLE: sheet.title,
        DESCRIPTION: f"{sheet.body}\n{sheet.source_title}",
        KEYWORDS: "\n".join(sheet.keywords),
    }
    found = [
        (styled_field, passage)
        for styled_field, text in where.items()
        for passage in pattern.found(text)
    ]
    if not found:
        return
    if empty_title and pattern.inside(sheet.title):
        bare = one_line(pattern.sub(lambda _said: "", sheet.title))
        other = next_title(sheet, pattern) or untitled(sheet, pattern)
        sheet.change(policy, how, title=bare if says_something(bare) else other)
    rid(sheet, policy, f"{policy.replace('_', ' ')}: {how}", pattern, instead,
         other_title=other_title)  # fmt: skip
    seen = dict.fromkeys((styled_field, passage.casefold()) for styled_field, passage in found)
    sheet.mended += [Mended(policy, one, _hidden(passage), how) for one, passage in seen]


def next_title(sheet: Sheet, pattern: Words) -> str:
    """The best sentence of the draft without a pattern, that no other clip has as its title; empty
    without one."""
    titles = (title for title in sheet.draft.titles if same_title(title) not in sheet.taken)
    return next((title for title in titles if not pattern.inside(title)), "")


def untitled(sheet: Sheet, pattern: Words | None = None) -> str:
    """What a clip is called that has no sentence left: by its video, if that may be said."""
    video = cut(plain(sheet.source_title), TITLE_LIMIT, units)
    broken = pattern is not None and pattern.inside(video)
    return video if says_something(video) and not broken else "Clip"


def _hidden(passage: str) -> str:
    """A passage as it may be quoted: contact details and slurs are not spread by reports."""
    return (passage[:2] + "…" + passage[-1:])[:2000] if len(passage) > 3 else passage


def one_line(text: str) -> str:
    """Without gaps, and without marks that joined what is gone."""
    return tidy(text).strip(" ,;:-–—|")
