"""Sounds that fill a pause while a speaker thinks, by language (ISO 639-1): data, as spelled in
transcripts. A form that is also a word of its language (Portuguese "um") is left out there."""

from __future__ import annotations

import unicodedata

_UNKNOWN = ""
_BY_LANGUAGE: dict[str, frozenset[str]] = {
    language: frozenset(forms.split())
    for language, forms in {
        # Words of no language that is written with them.
        _UNKNOWN: "uhm uhmm umm ummm uhh uhhh erm ähm ähem öhm euh ehm hmm hmmm mmm",
        "ar": "آآ إمم اممم",
        "cs": "ehm hmm eee",
        "da": "øh øhm eh",
        "de": "äh ähh ähm öh öhm ehm hm",
        "en": "um uh er uhm erm ah-um hm mm",
        "es": "eh ehh em mmm",
        "fi": "öö ööh tota-noin",
        "fr": "euh heu euhm hum",
        "he": "אממ אהה אה",
        "hi": "उम्म अम्म",
        "it": "eh ehm mmm",
        "ja": "えー ええと えーと えっと えっとー うーん んー",
        "ko": "음 어 음음 으음",
        "nl": "eh ehm uh uhm",
        "no": "eh øh øhm",
        "pl": "yyy eee yhm",
        "pt": "hum ahn hã hmm",
        "ru": "э ээ эээ эм мм ммм",
        "sv": "eh öh öhm ehm",
        "tr": "ııı eee ıhm",
        "uk": "е ее еее ем мм",
        "zh": "嗯 呃 嗯嗯 額",
    }.items()
}


def is_filler(text: str, language: str = "") -> bool:
    """Whether a transcript's word is only a filler in ``language`` (or in any, if unknown)."""
    word = unicodedata.normalize("NFC", text).casefold().strip()
    word = "".join(c for c in word if unicodedata.category(c)[0] not in "PSZ" or c == "-")
    word = word.strip("-")
    known = _BY_LANGUAGE.get(language[:2].casefold(), frozenset())
    return word in known or word in _BY_LANGUAGE[_UNKNOWN]
