"""What the features know of languages: small closed word lists, as data.

A language that is not here is scored without them (see `features`), never as if it were English.
Keys are ISO 639-1 codes; words are in the form of `words.key`.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SECOND_PERSON: dict[str, frozenset[str]] = {
    "en": _words("you your yours yourself you're you've you'll you'd"),
    "de": _words("du dein deine deinen dir dich ihr euch eure sie ihnen"),
    "es": _words("tú tu tus te ti usted ustedes vosotros vuestro"),
    "fr": _words("tu toi te ton ta tes vous votre vos"),
    "it": _words("tu ti te tuo tua tuoi tue voi vi vostro"),
    "pt": _words("tu você vocês te ti teu tua seu sua"),
}

# A clip that begins with one of these leans on what was said before it.
DEPENDENT_OPENERS: dict[str, frozenset[str]] = {
    "en": _words(
        "and but so or because which that this these those he she it they him her them his "
        "its their then also therefore however though although it's that's he's she's they're"
    ),
    "de": _words(
        "und aber oder denn weil dass also er sie es das dieser diese dieses dann auch "
        "deshalb jedoch obwohl"
    ),
    "es": _words(
        "y e pero o porque que este esta esto ese esa eso él ella ellos ellas entonces "
        "también aunque"
    ),
    "fr": _words(
        "et mais ou donc car parce que qui ce cela ça cette il elle ils elles alors aussi "
        "pourtant c'est"
    ),
    "it": _words("e ed ma o perché che questo questa quello lui lei loro allora anche quindi però"),
    "pt": _words(
        "e mas ou porque que este esta isto esse essa isso ele ela eles elas então também"
    ),
}

NUMBER_WORDS: dict[str, frozenset[str]] = {
    "en": _words(
        "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
        "hundred thousand million billion half percent first"
    ),
    "de": _words("zwei drei vier fünf sechs sieben acht neun zehn hundert tausend"),
    "es": _words("dos tres cuatro cinco seis siete ocho nueve diez cien mil millón"),
    "fr": _words("deux trois quatre cinq six sept huit neuf dix cent mille million"),
    "it": _words("due tre quattro cinque sei sette otto nove dieci cento mille"),
    "pt": _words("dois três quatro cinco seis sete oito nove dez cem mil milhão"),
}

# Words that may stand inside a phrase ("age of wisdom"); any other stop word there breaks it.
LINKS: dict[str, frozenset[str]] = {
    "en": frozenset({"of"}),
    "es": frozenset({"de", "del", "la", "el"}),
    "fr": frozenset({"de", "du", "des", "d", "la", "le"}),
    "it": frozenset({"di", "del", "della"}),
    "pt": frozenset({"de", "da", "do"}),
}

# English nouns in -ing: other single words in -ing are verbs ("posting") and say little alone.
ING_NOUNS: frozenset[str] = _words(
    "beginning being building ceiling clothing drawing dressing earring evening feeling "
    "king lightning marketing meeting morning painting programming ring sibling spring "
    "string thing training wedding wing"
)
