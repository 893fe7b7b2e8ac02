"""From a draft to wording that is fit to publish: rule by rule, each change with its reason (4.7).

The rules are applied in the order of `RULES`. What a rule changes is a style delta; what breaks a
policy and can be mended is mended and said; what cannot waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from omniva_dagster.contracts.cognition.chorus import (
    Casing,
    StyleDelta,
    StyledField,
    StylePreferences,
    Tone,
)
from omniva_dagster.engines.chorus import policies
from omniva_dagster.engines.chorus.casing import (
    LOUD_WORDS,
    WORD,
    cased_like,
    lowered,
    sentence_case,
    title_case,
)
from omniva_dagster.engines.chorus.drafting import (
    TITLE_LIMIT,
    Draft,
    credited,
    described,
    fitting_keywords,
    hashtags,
)
from omniva_dagster.engines.chorus.text import cut, plain, tidy, without_emoji

TITLE, DESCRIPTION, KEYWORDS = StyledField.TITLE, StyledField.DESCRIPTION, StyledField.KEYWORDS
DISCLOSURE = "Includes paid promotion."
_SHOUTED = 0.6


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
    voice: StylePreferences
    language: str
    spoken: str
    title: str
    body: str
    source_title: str
    keywords: list[str]
    hashtags: int
    extra: list[str] = field(default_factory=list)
    deltas: list[StyleDelta] = field(default_factory=list)
    mended: list[Mended] = field(default_factory=list)

    @property
    def description(self) -> str:
        """The description of its parts."""
        parts = [self.body, *self.extra, credited(self.source_title, self.draft.source_url)]
        return described(parts, hashtags(self.keywords, self.hashtags))

    @property
    def english(self) -> bool:
        """Whether rules for English words apply."""
        return self.language.lower().startswith("en")

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
    clip_id: str, draft: Draft, voice: StylePreferences, language: str, spoken: str
) -> Sheet:
    """A draft before anything is changed."""
    return Sheet(
        clip_id,
        draft,
        voice,
        language,
        spoken,
        draft.title,
        draft.body,
        draft.source_title,
        list(draft.keywords),
        0 if draft.whole else voice.hashtags,
    )


def _replace(sheet: Sheet) -> None:
    for item in sheet.voice.replace or ():
        pattern = _phrase(item.word)

        def other(text: str, pattern: re.Pattern[str] = pattern, use: str = item.use) -> str:
            return pattern.sub(lambda match: cased_like(use, match.group()), text)

        keywords = list(dict.fromkeys(other(keyword) for keyword in sheet.keywords))
        sheet.change(
            "replace",
            f"the brand says “{item.use}” where others say “{item.word}”",
            title=_one_line(other(sheet.title)) or sheet.title,
            body=other(sheet.body),
            keywords=keywords,
        )


def _avoid(sheet: Sheet) -> None:
    for phrase in sheet.voice.avoid:
        pattern = _phrase(phrase)
        reason = f"the brand does not say “{phrase}”"
        _rid(sheet, "avoid", reason, pattern, lambda _match: "", other_title=True)


def _profanity(sheet: Sheet) -> None:
    if not sheet.english:
        return
    _mend(sheet, "profanity", policies.PROFANITY, "masked", _masked, other_title=True)


def _contacts(sheet: Sheet) -> None:
    for pattern, what in ((policies.MAIL, "mail address"), (policies.PHONE, "phone number")):
        how = f"the {what} was taken out"
        _mend(sheet, "contact_details", pattern, how, lambda _match: "…", empty_title=True)
    found = policies.LINK.search(sheet.title)
    if found:
        bare = policies.LINK.sub("", sheet.title)
        sheet.change(
            "contact_details",
            f"a title is no place for a link: {found.group()}"[:2000],
            title=_one_line(bare) or _next_title(sheet, policies.LINK),
        )
        sheet.mended.append(Mended("contact_details", TITLE, found.group(), "the link was cut"))


def _disclosure(sheet: Sheet) -> None:
    paid = policies.sponsored(sheet.spoken, sheet.language)
    # In the flow of what is said nobody sees it.
    shown = "\n".join([sheet.title, *sheet.extra, sheet.body if sheet.draft.whole else ""])
    if not paid or policies.DISCLOSED.search(shown):
        return
    said = sheet.voice.disclosure or DISCLOSURE
    reason = f"the clip says “{paid}”, and the description did not say that somebody paid"
    sheet.change("missing_ad_disclosure", reason, extra=[*sheet.extra, said])
    sheet.mended.append(Mended("missing_ad_disclosure", DESCRIPTION, paid, f"“{said}” was added"))


def _shouting(sheet: Sheet) -> None:
    words = [word for word in WORD.findall(sheet.title) if len(word) > 1]
    loud = [word for word in words if word.isupper()]
    if len(words) >= LOUD_WORDS and len(loud) >= _SHOUTED * len(words):
        quiet = sentence_case(sheet.title.lower())
        sheet.change("shouting", "a title in capitals shouts", title=quiet)


def _marks(sheet: Sheet) -> None:
    if sheet.voice.tone is Tone.PLAYFUL:
        return

    def fewer(text: str) -> str:
        text = re.sub(r"([!?])[!?]*\?[!?]*|\?[!?]+", "?", text)
        text = re.sub(r"!{2,}", "!", text)
        return re.sub(r"!", ".", text) if sheet.voice.tone is Tone.AUTHORITATIVE else text

    title = fewer(sheet.title)
    if sheet.voice.tone is Tone.AUTHORITATIVE:
        title = title.rstrip(".") or title
    sheet.change(
        "tone",
        f"the brand's tone ({sheet.voice.tone.value}) goes without so many marks",
        title=title,
        body=fewer(sheet.body),
    )


def _emoji(sheet: Sheet) -> None:
    if sheet.voice.emoji and sheet.voice.tone is not Tone.AUTHORITATIVE:
        return
    sheet.change(
        "emoji",
        "the brand goes without emoji",
        title=without_emoji(sheet.title) or sheet.title,
        body=without_emoji(sheet.body),
        keywords=[word for word in map(without_emoji, sheet.keywords) if word],
    )


def _casing(sheet: Sheet) -> None:
    if sheet.voice.casing is Casing.SENTENCE:
        title = sentence_case(lowered(sheet.title))
        sheet.change("casing", "titles are written like sentences", title=title)
    elif sheet.voice.casing is Casing.TITLE and sheet.english:
        sheet.change("casing", "titles are written in title case", title=title_case(sheet.title))


def _require(sheet: Sheet) -> None:
    for said in sheet.voice.require:
        clean = plain(said)
        if clean and clean.casefold() not in sheet.description.casefold():
            reason = "the brand says so under every clip"
            sheet.change("require", reason, extra=[*sheet.extra, clean])


def _limits(sheet: Sheet) -> None:
    title = cut(plain(sheet.title), TITLE_LIMIT)
    lines = [plain(line) for line in sheet.body.split("\n")]
    sheet.change(
        "limits",
        "what platforms take: a title of 100 characters, tags of 500 in all, no angle brackets",
        title=title or "Clip",
        body="\n".join(lines).strip(),
        keywords=fitting_keywords(sheet.keywords),
    )


RULES: tuple[Callable[[Sheet], None], ...] = (
    _replace,
    _avoid,
    _profanity,
    _contacts,
    _shouting,
    _marks,
    _emoji,
    _casing,
    _require,
    _disclosure,
    _limits,
)


def styled(sheet: Sheet) -> Sheet:
    """The sheet after all rules."""
    for rule in RULES:
        rule(sheet)
    return sheet


def _rid(
    sheet: Sheet,
    rule: str,
    reason: str,
    pattern: re.Pattern[str],
    instead: Callable[[re.Match[str]], str],
    *,
    other_title: bool = False,
) -> None:
    """Take a pattern out of all fields; of the title by another sentence where there is one."""
    title = sheet.title
    if pattern.search(title):
        clean = _next_title(sheet, pattern) if other_title else ""
        title = clean or _one_line(pattern.sub(instead, title)) or "Clip"
    sheet.change(
        rule,
        reason,
        title=title,
        body=tidy(pattern.sub(instead, sheet.body)) if pattern.search(sheet.body) else sheet.body,
        source_title=pattern.sub(instead, sheet.source_title),
        keywords=[keyword for keyword in sheet.keywords if not pattern.search(keyword)],
    )


def _mend(
    sheet: Sheet,
    policy: str,
    pattern: re.Pattern[str],
    how: str,
    instead: Callable[[re.Match[str]], str],
    *,
    other_title: bool = False,
    empty_title: bool = False,
) -> None:
    where: Mapping[StyledField, str] = {
        TITLE: sheet.title,
        DESCRIPTION: f"{sheet.body}\n{sheet.source_title}",
        KEYWORDS: "\n".join(sheet.keywords),
    }
    found = [
        (styled_field, match.group())
        for styled_field, text in where.items()
        for match in pattern.finditer(text)
    ]
    if not found:
        return
    if empty_title and pattern.search(sheet.title):
        bare = _one_line(pattern.sub("", sheet.title))
        sheet.change(policy, how, title=bare or _next_title(sheet, pattern) or "Clip")
    _rid(sheet, policy, f"{policy.replace('_', ' ')}: {how}", pattern, instead,
         other_title=other_title)  # fmt: skip
    seen = dict.fromkeys((styled_field, passage.casefold()) for styled_field, passage in found)
    sheet.mended += [Mended(policy, one, _hidden(passage), how) for one, passage in seen]


def _next_title(sheet: Sheet, pattern: re.Pattern[str]) -> str:
    """The best sentence of the draft without a pattern; empty without one."""
    return next((title for title in sheet.draft.titles if not pattern.search(title)), "")


def _phrase(words: str) -> re.Pattern[str]:
    """A phrase as whole words, in whatever case."""
    spaced = r"\s+".join(re.escape(word) for word in words.split())
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def _masked(match: re.Match[str]) -> str:
    word = match.group()
    return word[0] + "*" * (len(word) - 1)


def _hidden(passage: str) -> str:
    """A passage as it may be quoted: contact details and slurs are not spread by reports."""
    return (passage[:2] + "…" + passage[-1:])[:2000] if len(passage) > 3 else passage


def _one_line(text: str) -> str:
    return tidy(text).strip(" ,;:-–—|")
