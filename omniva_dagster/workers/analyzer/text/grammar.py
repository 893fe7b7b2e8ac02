"""What the keywords know of languages: function words by what follows them, as data.

A language that is not here is done without them. Keys are ISO 639-1 codes; words are in the form of
`words.key`.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that may stand inside a phrase ("age of wisdom"); any other stop word there breaks it.
LINKS: dict[str, frozenset[str]] = {
    "en": _words("of"),
    "es": _words("de del"),
    "fr": _words("de du des"),
    "it": _words("di del della dei delle"),
    "pt": _words("de da do das dos"),
}

# What tells a plural from its singular, at the end of both.
PLURAL_ENDINGS: dict[str, re.Pattern[str]] = {
    "en": re.compile("(?:(?<=[^aeiou])(?:ies|y)|(?<=[xz])es|(?<=[cs]h)es|(?<=ss)es|(?<=[^sui])s)$"),
    "de": re.compile("(?:en|es|er|em|e|n|s)$"),
    "es": re.compile("(?:es|e|s)$"),
    "fr": re.compile("[sx]$"),
    "it": re.compile("[aeio]$"),
    "nl": re.compile("(?:en|s)$"),
    "pt": re.compile("(?:es|e|s)$"),
}

# Languages in which a phrase ends with its noun, and those that write every noun with a capital.
HEAD_LAST = _words("en de nl sv da no nb nn fi hu")
NOUNS_CAPITALIZED = _words("de lb")

# After these a verb follows ...
BEFORE_VERBS: dict[str, frozenset[str]] = {
    "en": _words(
        "i you he she we they who to will would can could shall should may might must do does "
        "did don't doesn't didn't can't cannot won't wouldn't couldn't shouldn't not never "
        "always let's please i'll you'll we'll they'll he'll she'll i'd you'd we'd they'd just"
    ),
    "de": _words("ich du er wir man zu nicht kann will muss soll darf wird würde"),
    "es": _words("yo tú él ella nosotros ellos ellas no se me te nos puede quiero voy"),
    "fr": _words("je tu il elle on nous vous ils elles ne se peut veux va vais"),
    "it": _words("io tu lui lei noi voi loro non si mi ti ci può voglio"),
    "pt": _words("eu tu você ele ela nós eles elas não se me pode quero vou"),
    "nl": _words("ik jij je hij zij we wij te niet kan wil moet zal"),
}
# ... a noun, or an adjective and a noun ...
BEFORE_NOUNS: dict[str, frozenset[str]] = {
    "en": _words(
        "a an the my your his her its our their this that these those some any every each no "
        "another of in on at for with from by about into without two three four five six seven "
        "eight nine ten many few several most"
    ),
    "de": _words(
        "der die das den dem des ein eine einen einem einer eines mein meine dein deine sein "
        "seine ihr ihre unser unsere kein keine im am vom zum zur beim"
    ),
    "es": _words("el la los las un una unos unas mi tu su mis tus sus del al este esta cada"),
    "fr": _words("le la les un une des mon ma mes ton ta tes son sa ses du au aux ce cette chaque"),
    "it": _words("il lo la i gli le un uno una mio mia del della dei delle al alla nel nella ogni"),
    "pt": _words("o a os as um uma uns umas meu minha seu sua do da dos das no na nos nas cada"),
    "nl": _words("de het een mijn jouw zijn haar ons onze hun dit dat deze die geen elk"),
}
# ... or an adjective alone.
BEFORE_ADJECTIVES: dict[str, frozenset[str]] = {
    "en": _words(
        "is are was were be been am it's that's he's she's i'm you're they're we're feel feels "
        "felt so too very more quite really how as even"
    ),
    "de": _words("ist sind war waren sehr so zu ganz mehr"),
    "es": _words("es son era eran está están muy más tan"),
    "fr": _words("est sont était étaient très plus trop si"),
    "it": _words("è sono era erano molto più così troppo"),
    "pt": _words("é são era eram está estão muito mais tão"),
    "nl": _words("is zijn was waren heel zeer zo te"),
}

# Alone these say nothing about what is talked about.
VAGUE: dict[str, frozenset[str]] = {
    "en": _words(
        "good bad great big little short long thing things stuff way ways lot lots kind sort bit "
        "people person guy guys man men woman women day days time times today tomorrow yesterday "
        "night tonight minute minutes second seconds hour hours week weeks month months year "
        "years moment end start beginning part parts side point points place number case fact "
        "example reason reasons idea ideas question questions answer problem thing's everything "
        "half rest top couple piece course matter whole turn line word words talk video videos "
        "episode channel stop hold read call half guess mean love feel yeah okay gonna wanna uh "
        "um hmm hm ah oh mr mrs"
    ),
    "de": _words(
        "ding dinge sache sachen leute mensch menschen mann frau tag tage zeit heute morgen "
        "gestern stunde stunden minute minuten woche wochen monat jahr jahre ende anfang teil "
        "seite punkt art weise fall beispiel grund frage fragen antwort problem idee moment mal"
    ),
    "es": _words(
        "cosa cosas gente persona personas hombre mujer día días tiempo hoy mañana ayer hora "
        "horas minuto minutos semana mes año años fin final parte lado punto tipo forma manera "
        "caso ejemplo razón pregunta respuesta problema idea momento vez veces"
    ),
    "fr": _words(
        "chose choses gens personne personnes homme femme jour jours temps aujourd'hui demain "
        "hier heure heures minute minutes semaine mois an ans année années fin partie côté "
        "point type façon manière cas exemple raison question réponse problème idée moment fois"
    ),
    "it": _words(
        "cosa cose gente persona persone uomo donna giorno giorni tempo oggi domani ieri ora "
        "ore minuto minuti settimana mese anno anni fine parte lato punto tipo modo caso "
        "esempio ragione domanda risposta problema idea momento volta volte"
    ),
    "pt": _words(
        "coisa coisas gente pessoa pessoas homem mulher dia dias tempo hoje amanhã ontem hora "
        "horas minuto minutos semana mês ano anos fim parte lado ponto tipo forma maneira caso "
        "exemplo razão pergunta resposta problema ideia momento vez vezes"
    ),
}

# English words whose ending would make them verbs, adverbs or adjectives, though they are nouns.
ING_NOUNS: frozenset[str] = _words(
    "beginning being building ceiling clothing drawing dressing earring evening feeling king "
    "lightning marketing meeting morning painting programming ring sibling spring string thing "
    "training wedding wing"
)
LY_NOUNS: frozenset[str] = _words(
    "ally anomaly assembly bully butterfly family fly italy jelly july lily monopoly rally "
    "reply supply belly"
)
ED_NOUNS: frozenset[str] = _words("breed creed seed speed need feed weed hundred shed sled steed")
EST_NOUNS: frozenset[str] = _words(
    "arrest conquest contest forest guest harvest inquest interest protest request"
)
# English forms that are verbs wherever they stand, and have no ending that shows it.
VERB_FORMS: frozenset[str] = _words(
    "ate became began bit blew broke brought built bought came caught chose drank drew drove "
    "fell felt flew forgot found froze gave grew had heard held hid hurt kept knew laid lay led "
    "lent let lost made meant met paid put quit ran rang read rode rose said sang sank sat saw "
    "sent shook shone shot shut slept sold spent spoke stood stole stuck swam swept swore "
    "taught threw thought told took tore understood went woke won wore wrote arrive arrives "
    "become becomes begin begins believe believes bring brings buy buys choose carry carries "
    "create creates decide decides eat eats explain explains forget happen happens hear imagine "
    "keep know leave leaves listen lose make makes pay remember send sit speak stay sleeps "
    "stopped teach tell think understand wait write"
)
