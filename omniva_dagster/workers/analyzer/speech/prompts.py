"""What a speech model is shown before it listens: a sentence in its language, with punctuation.

Whisper punctuates where what it heard before is punctuated, and may leave it out otherwise. Every
window is shown the same: showing it the window before ended in loops of one phrase (measured).
The sentences have commas and colons too: after short ones, it ends one at every breath.
"""

from __future__ import annotations

_PUNCTUATED = {
    "ar": "حسنًا، ها نحن هنا، وكما قلت من قبل، كان يومًا طويلًا. هل هذا صحيح؟ نعم، صحيح.",
    "cs": "Tak, jsme tady, a jak jsem řekl, byl to dlouhý, klidný den. Je to pravda? Ano, je.",
    "da": "Nå, her er vi, og som jeg sagde, det var en lang, stille dag. Er det sandt? Ja, det er.",
    "de": "Nun, da sind wir, und wie gesagt, es war ein langer, ruhiger Tag: niemand kam. "
    "Ist es wahr? Ja, das ist es.",
    "el": "Λοιπόν, εδώ είμαστε, και όπως είπα, ήταν μια μεγάλη, ήσυχη μέρα. Είναι αλήθεια; Ναι.",
    "en": "Well, here we are, and as I said before, it was a long, quiet day: nobody came. "
    "Is it true? Yes, it is.",
    "es": "Bueno, aquí estamos, y como ya dije, fue un día largo y tranquilo: no vino nadie. "
    "¿Es verdad? Sí, lo es.",
    "fi": "No niin, tässä ollaan, ja kuten sanoin, se oli pitkä, hiljainen päivä. Onko se totta? "
    "Kyllä on.",
    "fr": "Bien, nous voilà, et comme je l'ai dit, c'était une longue journée calme : personne "
    "n'est venu. Est-ce vrai ? Oui, c'est vrai.",
    "hi": "तो, हम यहाँ हैं, और जैसा मैंने कहा, वह एक लंबा, शांत दिन था। क्या यह सच है? हाँ, सच है।",
    "hu": "Nos, itt vagyunk, és ahogy mondtam, hosszú, csendes nap volt. Igaz ez? Igen, igaz.",
    "id": "Nah, kita di sini, dan seperti saya katakan, hari itu panjang dan tenang. Benarkah? "
    "Ya, benar.",
    "it": "Bene, eccoci qui, e come ho detto, è stata una giornata lunga e tranquilla: nessuno è "
    "venuto. È vero? Sì, è vero.",
    "ja": "さて、ここに来ました。言ったとおり、長く、静かな一日でした。本当ですか？はい。",
    "ko": "자, 여기 왔습니다. 말씀드렸듯이, 길고 조용한 하루였습니다. 사실인가요? 네, 맞습니다.",
    "nl": "Nou, hier zijn we, en zoals ik zei, het was een lange, rustige dag. Is het waar? Ja, "
    "dat is het.",
    "no": "Vel, her er vi, og som jeg sa, det var en lang, stille dag. Er det sant? Ja.",
    "pl": "No, jesteśmy tutaj, i jak mówiłem, to był długi, spokojny dzień. Czy to prawda? Tak.",
    "pt": "Bem, aqui estamos, e como já disse, foi um dia longo e tranquilo: ninguém veio. "
    "É verdade? Sim, é verdade.",
    "ro": "Ei bine, iată-ne, și cum am spus, a fost o zi lungă, liniștită. Este adevărat? Da.",
    "ru": "Ну, вот мы и здесь, и, как я сказал, это был долгий, тихий день. Это правда? Да.",
    "sv": "Ja, här är vi, och som jag sa, det var en lång, lugn dag. Är det sant? Ja, det är det.",
    "tr": "Evet, buradayız ve dediğim gibi, uzun, sakin bir gündü. Doğru mu? Evet, doğru.",
    "uk": "Ну, ось ми тут, і, як я казав, це був довгий, тихий день. Це правда? Так, правда.",
    "vi": "Vâng, chúng ta ở đây, và như tôi đã nói, đó là một ngày dài, yên tĩnh. Có thật không? "
    "Vâng, thật.",
    # Characters that simplified and traditional writing share.
    "zh": "好，一起走，天天如此，人人都可以。可以不可以？可以，好。",
}


def punctuated(language: str) -> str | None:
    """A few punctuated sentences in the language (ISO 639-1), or None where there are none."""
    return _PUNCTUATED.get(language)
