"""What the features know of languages: small closed word lists, as data.

A language that is not here is scored without them (see `features`), never as if it were English.
Keys are ISO 639-1 codes; words are in the form of `words.key`, phrases are words with one blank
between them and with plain apostrophes. `STIRRING` matches whole words (`re.fullmatch`).
"""

from __future__ import annotations

import re

_SHORT = 4


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.casefold().split(","))


def _stems(text: str, endings: str = "s|n|en|es|e|a|o|as|os|i|er") -> re.Pattern[str]:
    """Words that begin with a stem; short ones, and those before a full stop, would catch too much
    and take only an ending."""
    stems = sorted(text.casefold().split())
    free = "|".join(stem for stem in stems if len(stem) > _SHORT and stem[-1] != ".")
    bound = "|".join(stem.rstrip(".") for stem in stems if len(stem) <= _SHORT or stem[-1] == ".")
    return re.compile(f"(?:{free}).*|(?:{bound})(?:{endings})?")


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
        "and but so or because which that this these those he she it they him her them his its "
        "their then also therefore however though although it's that's he's she's they're"
    ),
    "de": _words(
        "und aber oder denn weil dass also er sie es das dieser diese dieses dann auch deshalb "
        "jedoch obwohl"
    ),
    "es": _words(
        "y e pero o porque que este esta esto ese esa eso él ella ellos ellas entonces también "
        "aunque"
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

# A beginning that promises something: it opens a gap that the viewer wants closed.
TEASERS: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "what if, imagine, did you know, have you ever, would you, why do, why does, how to, "
        "how do you, here's why, here is why, here's how, here is how, the secret, the truth, "
        "the problem with, the biggest, the worst, the best, nobody tells, no one tells, most "
        "people, everybody thinks, everyone thinks, you need to, you should never, never, stop, "
        "the reason, i was wrong, the first time, let me tell you, this is the story"
    ),
    "de": _phrases(
        "was wäre wenn, was wenn, stell dir vor, wusstest du, hast du schon, warum, wie man, "
        "das geheimnis, die wahrheit, das problem, die meisten menschen, die meisten leute, "
        "niemand, der grund, das schlimmste, das beste, zum ersten mal"
    ),
    "es": _phrases(
        "qué pasaría si, y si, imagina, imagínate, sabías que, alguna vez, por qué, cómo, el "
        "secreto, la verdad, el problema, la mayoría de, nadie, la razón, lo peor, lo mejor, la "
        "primera vez"
    ),
    "fr": _phrases(
        "et si, imagine, imaginez, saviez-vous, savais-tu, pourquoi, comment, le secret, la "
        "vérité, le problème, la plupart des, personne, la raison, le pire, le meilleur, la "
        "première fois"
    ),
    "it": _phrases(
        "e se, immagina, immaginate, sapevi che, hai mai, perché, come, il segreto, la verità, "
        "il problema, la maggior parte, nessuno, la ragione, il peggiore, il migliore, la prima "
        "volta"
    ),
    "pt": _phrases(
        "e se, imagina, imagine, você sabia, já alguma vez, por que, porque é que, como, o "
        "segredo, a verdade, o problema, a maioria das, ninguém, a razão, o pior, o melhor, a "
        "primeira vez"
    ),
}

# What is said around a talk, not in it: nobody clips a greeting or a call to subscribe.
HOUSEKEEPING: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "welcome to, welcome back, hello everyone, hi everyone, hey guys, hi guys, good morning "
        "everyone, my name is, thanks for watching, thank you for watching, thank you for "
        "listening, thanks for listening, thanks for having me, subscribe, like and subscribe, "
        "hit the bell, link in the description, links in the description, sponsor, sponsored "
        "by, brought to you by, promo code, discount code, patreon, see you next time, in "
        "today's video, in this video, in this episode, can you hear me, next slide"
    ),
    "de": _phrases(
        "herzlich willkommen, willkommen zu, willkommen zurück, hallo zusammen, hallo leute, "
        "mein name ist, danke fürs zuschauen, danke fürs zuhören, abonniert, abonniere, in der "
        "beschreibung, gesponsert, rabattcode, bis zum nächsten mal, in diesem video"
    ),
    "es": _phrases(
        "bienvenidos, bienvenidas, hola a todos, hola amigos, me llamo, gracias por ver, "
        "gracias por escuchar, suscríbete, suscríbanse, en la descripción, patrocinador, "
        "patrocinado, código de descuento, hasta la próxima, en este video, en este vídeo"
    ),
    "fr": _phrases(
        "bienvenue, bonjour à tous, salut tout le monde, je m'appelle, merci d'avoir regardé, "
        "abonne-toi, abonnez-vous, dans la description, sponsorisé, code promo, à la prochaine, "
        "dans cette vidéo"
    ),
    "it": _phrases(
        "benvenuti, ciao a tutti, ciao ragazzi, mi chiamo, grazie per la visione, iscriviti, "
        "iscrivetevi, in descrizione, sponsor, codice sconto, alla prossima, in questo video"
    ),
    "pt": _phrases(
        "bem-vindos, bem vindos, olá pessoal, oi gente, meu nome é, obrigado por assistir, "
        "inscreva-se, se inscreva, na descrição, patrocinador, código de desconto, até a "
        "próxima, neste vídeo"
    ),
}

# An ending that says what it all comes to.
CONCLUSIONS: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "that's why, that is why, this is why, which is why, that's how, that is how, the "
        "point, in the end, at the end of the day, the lesson, the moral, the answer, it turns "
        "out, turned out, what matters, that means, it means, so if you, so when you, the key, "
        "remember, the bottom line, in other words, in short, finally, after all, that's the, "
        "that is the, is the thing that, is not a, i learned, i realized, i realised, from then "
        "on, ever since, and that changed, therefore, as a result"
    ),
    "de": _phrases(
        "deshalb, deswegen, darum, am ende, die lehre, die antwort, es stellte sich heraus, das "
        "heißt, das bedeutet, es kommt darauf an, im grunde, kurz gesagt, letztendlich, "
        "schließlich, also wenn, der punkt ist, seitdem, daraus habe ich gelernt"
    ),
    "es": _phrases(
        "por eso, al final, la lección, la respuesta, resulta que, resultó que, significa que, "
        "lo importante, en resumen, en definitiva, así que si, la clave, recuerda, desde "
        "entonces, por lo tanto, en conclusión, aprendí"
    ),
    "fr": _phrases(
        "c'est pourquoi, c'est pour ça, à la fin, au final, la leçon, la réponse, il s'avère, "
        "cela signifie, ça veut dire, l'important, en résumé, en bref, finalement, la clé, donc "
        "si, depuis ce jour, j'ai appris, en conclusion"
    ),
    "it": _phrases(
        "ecco perché, per questo, alla fine, la lezione, la risposta, si è scoperto, significa "
        "che, vuol dire, l'importante, in breve, in sintesi, finalmente, la chiave, quindi se, "
        "da allora, ho imparato, in conclusione"
    ),
    "pt": _phrases(
        "é por isso, por isso, no final, no fim, a lição, a resposta, acontece que, significa "
        "que, quer dizer, o importante, em resumo, finalmente, a chave, então se, desde então, "
        "aprendi, em conclusão, portanto"
    ),
}

# An ending that announces what the clip no longer shows.
ANNOUNCEMENTS: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "let me, let's start, let's begin, let's look, let's talk, here are, here is a, first "
        "of all, for example, for instance, as follows, in a moment, in a minute, coming up, "
        "next up, moving on, the next one, i'll show you, i will show you, i'm going to show, i "
        "want to tell you, here's the thing, listen to"
    ),
    "de": _phrases(
        "lass mich, lasst mich, fangen wir an, hier sind, zum beispiel, als nächstes, gleich, "
        "ich zeige euch, ich zeige dir, schauen wir"
    ),
    "es": _phrases(
        "déjame, empecemos, vamos a ver, aquí hay, aquí están, por ejemplo, a continuación, en "
        "un momento, te voy a mostrar, voy a mostrar"
    ),
    "fr": _phrases(
        "laissez-moi, laisse-moi, commençons, voici, par exemple, dans un instant, je vais vous "
        "montrer, je vais te montrer, regardons"
    ),
    "it": _phrases(
        "lasciami, lasciatemi, cominciamo, iniziamo, ecco alcuni, per esempio, ad esempio, tra "
        "un momento, vi mostro, ti mostro, vediamo"
    ),
    "pt": _phrases(
        "deixa eu, deixe-me, vamos começar, aqui estão, por exemplo, a seguir, daqui a pouco, "
        "vou te mostrar, vou mostrar, vamos ver"
    ),
}

# Stems of words that stir people: awe, anger, fear, laughter, surprise, stakes. Content that does
# is passed on more (Berger and Milkman, "What makes online content viral?", 2012).
STIRRING: dict[str, re.Pattern[str]] = {
    "en": _stems(
        """
        afraid alarm amaz anger angr anxi awe awful awkward astonish attack beautif betray
        bizarre bleed blood. bomb breathtak brillian brutal cheat crazy cried cruel cry curse
        danger deadly death despair desper destroy devast devil disaster disgust drama dying
        emergencies emergency enemies enemy epic evil excit explod explos extraordin fantastic
        fear fight fool foolish forbid freak frighten funn furious genius ghost guilt hate
        hatred haunt hearts heaven hell hero hilarious hope horrib horror humiliat illegal
        impossib incredib insan joke joy kill laugh liar lied lies lonel love luck lunatic mad
        magic mess mirac miser mistake monster murder myster nightmare obsess outrag pain panic
        passion pity poison pride proud rage regret revenge revolut ridicul risk sad scandal
        scare scary scream secret. shame shock shout sick stole stupid suffer suicid surpris
        surviv terrib terrif terror thief thrill tragic trap traum treasure. triumph ugly
        unbeliev unexpect urgent victim victory violen war warn weird wild win wonder worried
        worry worst wrong yell
        """,
        "s|(?<=e)d|ed|ing|y|ly|ful",
    ),
    "de": _stems(
        """
        absurd angst ängst ärger begeister blut böse brutal dumm ekel entsetz erschreck erstaun
        explo extrem fantast fehler feind freud furcht furios gefahr gefähr geheim gelieb gewalt
        glück hass herz hoffnung horror irre katastroph kampf krass krieg lach liebe lüge
        magisch mord panik peinlich perfekt rache risiko schande schlimm schmerz schock schrei
        schuld skandal sterb stolz tod tot trauer traum überrasch unfassbar unglaub unmöglich
        verrückt verzweif wahnsinn warn weinen wunder wut wütend
        """
    ),
    "es": _stems(
        """
        absurd alegr amor asco asesin asombr asust bomba brutal catástrof corazón culp desastre
        desesper dolor emocion enemig enfad error espectacular esperanza espant extrem fantástic
        feliz furi genial guerra horror humill ilegal imposib increíb infierno locura loco llor
        magia mentir miedo milagro misteri monstruo muert murió odi pánico peligr pelea perfect
        pesadilla rabia ridícul riesgo sangre secret. sorprend sorpresa sueñ sufr terrib terror
        tragedi trampa triste urgent vengan vergüenza victoria violen
        """
    ),
    "fr": _stems(
        """
        absurde amour angoiss assassin bizarre bombe brutal catastroph cauchemar choc choqu
        coeur cœur colère coupable crise danger désastr désesp douleur drame dégoût effray
        énorme enfer ennemi épouvant erreur espoir étonn extraordinaire extrême fantasti folie
        fou furieu génial guerre haine honte horreur horrib illégal impossib incroyab magi
        mensonge menti merveill meurtre miracle monstre mort mystère panique parfait peur pleur
        rage regret ridicul rire risque sang scandale secret. souffr surpr terrib terreur
        tragédi trahi triste urgent vengeance victoire violen
        """
    ),
    "it": _stems(
        """
        amore angoscia assurd bomba brutal catastrof colpa crisi cuore danger disastr disgust
        disper dolore dramm emozion enorme errore estrem fantastic felic follia furi geniale
        guerra illegal impossib incredib inferno incubo magi menti miracol mister morte morto
        mostro nemic odio orror orribil panico paur perfett pericol piang rabbia ridicol ridere
        rischi sangue scandal segret sogn soffr sorpres spavent speranza strabil terribil terror
        tragedi tradi trist uccis urgent vendett vergogna vittoria violen
        """
    ),
    "pt": _stems(
        """
        absurd alegr amor assassin assust bomba brutal catástrof chocant choque coração crise
        culpa desastr desesper dor drama emocion enorme erro espanto esperança extraordin extrem
        fantástic feliz furi genial guerra horror horrível humilh ilegal impossív incrív inferno
        inimig louc mágic medo mentir mentira milagre mistéri monstro morte morreu nojo ódio
        pânico perfeit perig pesadelo raiva ridícul risco sangue segredo sofr sonho surpre
        terrív terror tragédia triste urgent vergonha vingança violên vitória
        """
    ),
}
