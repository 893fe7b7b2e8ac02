"""From a draft to wording that is fit to publish: rule by rule, each change with its reason (4.7).

The rules are applied in the order of `RULES`. What a rule changes is a style delta; what breaks a
policy and can be mended is mended and said; what cannot waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from omniva_dagster.contracts.cognition.chorus import Casing, PolicyRule, Tone
from omniva_dagster.engines.chorus import policies
from omniva_dagster.engines.chorus.casing import (
    LOUD_WORDS,
    WORD,
    cased_like,
    lowered,
    sentence_case,
    small,
    title_case,
)
from omniva_dagster.engines.chorus.drafting import TITLE_LIMIT, Draft, fitting_keywords
from omniva_dagster.engines.chorus.preferring import Agreed
from omniva_dagster.engines.chorus.seeing import Words, phrase
from omniva_dagster.engines.chorus.sheet import (
    DESCRIPTION,
    KEYWORDS,
    TITLE,
    Mended,
    Sheet,
    mend,
    next_title,
    one_line,
    rid,
    sheet_of,
    untitled,
)
from omniva_dagster.engines.chorus.text import cut, plain, units, without_emoji
from omniva_dagster.engines.paradox.compliance import same_title

DISCLOSURE = "Includes paid promotion."
_SHOUTED = 0.6
# Sentences that are tried as a title.
_TRIES = 10
_HASHTAG = Words(re.compile(r"(?<!\S)#\S"))


def _taken(sheet: Sheet) -> None:
    if sheet.instead:
        reason = "another clip of the creator has that title"
        sheet.change("repeated_title", reason, title=sheet.instead)


def _tagged(sheet: Sheet) -> None:
    """A title of hashtags alone says nothing, and platforms ignore them where there are many."""
    marks = sheet.title.split()
    if not marks or not all(mark[0] in "#＃" for mark in marks):
        return
    other = "" if sheet.draft.titled else next_title(sheet, _HASHTAG)
    bare = " ".join(mark.lstrip("#＃") for mark in marks)
    reason = "a title of hashtags alone says nothing"
    sheet.change("hashtags", reason, title=other or one_line(bare) or untitled(sheet))


def _counted(sheet: Sheet) -> None:
    if not sheet.draft.whole:
        reason = f"{sheet.agreed.who('hashtags')} has hashtags: {sheet.voice.hashtags} at most"
        sheet.change("hashtags", reason, hashtags=sheet.voice.hashtags)


def _replace(sheet: Sheet) -> None:
    for item in sheet.voice.replace or ():
        words = phrase(item.word)

        def other(text: str, words: Words = words, use: str = item.use) -> str:
            return words.sub(lambda said: cased_like(use, said), text)

        keywords = list(dict.fromkeys(other(keyword) for keyword in sheet.keywords))
        sheet.change(
            "replace",
            f"the brand says “{item.use}” where others say “{item.word}”",
            title=one_line(other(sheet.title)) or sheet.title,
            body=other(sheet.body),
            keywords=keywords,
        )


def _avoid(sheet: Sheet) -> None:
    for avoided in sheet.voice.avoid:
        reason = f"the brand does not say “{avoided}”"
        rid(sheet, "avoid", reason, phrase(avoided), lambda _said: "", other_title=True)


def _profanity(sheet: Sheet) -> None:
    rule = PolicyRule.PROFANITY
    known = [policies.PROFANITY] if sheet.english else []
    for words in (*known, *policies.phrases(rule, sheet.language, sheet.policies)):
        mend(sheet, "profanity", words, "masked", _masked, other_title=True)


def _contacts(sheet: Sheet) -> None:
    for pattern, what in ((policies.MAIL, "mail address"), (policies.PHONE, "phone number")):
        how = f"the {what} was taken out"
        mend(sheet, "contact_details", pattern, how, lambda _said: "…", empty_title=True)
    links = policies.LINK
    fields = {TITLE: sheet.title, KEYWORDS: "\n".join(sheet.keywords)}
    found = [(field, link) for field, text in fields.items() for link in links.found(text)]
    if found:
        bare = one_line(links.sub(lambda _said: "", sheet.title))
        sheet.change(
            "contact_details",
            f"titles and tags are no place for a link: {found[0][1]}"[:2000],
            title=bare or next_title(sheet, links) or untitled(sheet, links),
            keywords=[keyword for keyword in sheet.keywords if not links.inside(keyword)],
        )
        once = dict.fromkeys(found)
        sheet.mended += [Mended("contact_details", *one, "the link was cut") for one in once]


def _disclosure(sheet: Sheet) -> None:
    paid = policies.sponsored(sheet.spoken, sheet.language, sheet.policies)
    # In the flow of what is said nobody sees it.
    shown = "\n".join([sheet.title, *sheet.extra, sheet.body if sheet.draft.whole else ""])
    said = plain(sheet.voice.disclosure or "") or DISCLOSURE
    if not paid or policies.DISCLOSED.search(shown) or said.casefold() in shown.casefold():
        return
    reason = f"the clip says “{paid}”, and the description did not say that somebody paid"
    sheet.change("missing_ad_disclosure", reason, extra=[*sheet.extra, said])
    sheet.mended.append(Mended("missing_ad_disclosure", DESCRIPTION, paid, f"“{said}” was added"))


def _shouting(sheet: Sheet) -> None:
    words = [word for word in WORD.findall(sheet.title) if len(word) > 1]
    loud = [word for word in words if word.isupper()]
    if len(words) >= LOUD_WORDS and len(loud) >= _SHOUTED * len(words):
        quiet = sentence_case(small(sheet.title, sheet.language), sheet.language)
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
        f"{sheet.agreed.whose('tone')} tone ({sheet.voice.tone.value}) goes without so many marks",
        title=title,
        body=fewer(sheet.body),
    )


def _emoji(sheet: Sheet) -> None:
    if sheet.voice.emoji and sheet.voice.tone is not Tone.AUTHORITATIVE:
        return
    sheet.change(
        "emoji",
        f"{sheet.agreed.who('emoji')} goes without emoji",
        title=without_emoji(sheet.title) or sheet.title,
        body=without_emoji(sheet.body),
        keywords=[word for word in map(without_emoji, sheet.keywords) if word],
    )


def _casing(sheet: Sheet) -> None:
    if sheet.voice.casing is Casing.SENTENCE:
        title = sentence_case(lowered(sheet.title, sheet.language), sheet.language)
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
    title = cut(plain(sheet.title), TITLE_LIMIT, units)
    lines = [plain(line) for line in sheet.body.split("\n")]
    sheet.change(
        "limits",
        "what platforms take: a title of 100 characters, tags of 500 in all, no angle brackets",
        title=title or untitled(sheet),
        body="\n".join(lines).strip(),
        keywords=fitting_keywords(sheet.keywords),
    )


RULES: tuple[Callable[[Sheet], None], ...] = (
    _taken,
    _tagged,
    _counted,
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


def styled(
    clip_id: str,
    draft: Draft,
    agreed: Agreed,
    language: str,
    spoken: str,
    taken: Sequence[str] = (),
) -> Sheet:
    """The wording of a draft after all rules. Where it comes out with a title that is ``taken``,
    the best other sentence is the title that does not, at last the video's; an operator's stays."""
    others = () if draft.titled else (*draft.titles[1:_TRIES], draft.source_title)
    first = None
    for instead in ("", *filter(None, others)):
        sheet = sheet_of(clip_id, draft, agreed, language, spoken, taken, instead)
        for rule in RULES:
            rule(sheet)
        if same_title(sheet.title) not in sheet.taken:
            return sheet
        first = first or sheet
    assert first is not None
    return first


def _masked(said: str) -> str:
    letters = [part for part in said if part.isalnum()]
    return said[:1] + "*" * max(1, len(letters) - 1)
