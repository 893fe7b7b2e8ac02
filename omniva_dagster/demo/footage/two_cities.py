"""The first sample video: a human voice, and a synthetic one that reads the same page.

The recorded text is the opening of Charles Dickens, "A Tale of Two Cities" (1859, public domain);
all the other text is ours. See docs/demo-sources.md.
"""

from __future__ import annotations

from omniva_dagster.demo.footage.programme import (
    Passage,
    Programme,
    Shot,
    Window,
    push_in,
    still,
)

_RECORDED = (
    "It was the best of times, it was the worst of times. "
    "It was the age of wisdom, it was the age of foolishness. "
    "It was the epoch of belief, it was the epoch of incredulity. "
    "It was the season of Light, it was the season of Darkness. "
    "It was the spring of hope, it was the winter of despair. "
    "We had everything before us, we had nothing before us. "
    "We were all going direct to Heaven, we were all going direct the other way. "
    "In short, the period was so far like the present period, that some of its noisiest "
    "authorities insisted on its being received, for good or for evil, in the superlative "
    "degree of comparison only."
)

TWO_CITIES = Programme(
    slug="two-cities",
    title="One sentence, two voices: a page of Dickens read by a person and by a machine",
    description=(
        "The most famous opening in English, read by a human voice and then by a synthetic one. "
        "Which of them understands it? The pictures illustrate: nobody who is shown speaks here, "
        "or endorses anything."
    ),
    tags=("books", "dickens", "reading", "voices", "literature"),
    passages=(
        Passage(
            "",
            (still("card:One sentence,|two voices"),),
            pause=2.4,
        ),
        Passage(
            "Can a single sentence hold a whole century? Charles Dickens opened a novel with a "
            "sentence that never seems to stop, and people still know it by heart. First, listen "
            "to a person read it. Then I will try it too. I am a machine, and at the end you can "
            "tell me what was missing.",
            (
                push_in("coins", 0.55, 0.5),
                Shot("cameraman", Window(0.45, 0.4, 0.9), Window(0.55, 0.4, 0.8)),
                still("portrait-right"),
            ),
            pause=2.6,
        ),
        Passage(
            _RECORDED,
            (
                still("brick", share=7.0),
                push_in("cat", 0.5, 0.45, share=7.0),
                push_in("sky", 0.6, 0.4, share=5.5),
                still("grass", share=5.5),
                Shot(
                    "portrait-right",
                    Window(),
                    Window(0.5, 0.36, 0.7),
                    share=6.0,
                ),
                push_in("rocket", 0.5, 0.5, share=5.5),
                Shot("portrait-left", Window(0.45, 0.45, 0.9), Window(0.4, 0.36, 0.66), share=8.0),
            ),
            pause=3.0,
            recorded=True,
        ),
        Passage(
            "Did you hear how it is built? Every step of the sentence comes with its opposite. "
            "Hope stands beside despair, and light stands beside darkness. Dickens never tells us "
            "which side to believe. He leaves both doors open, and that is the reason why every "
            "generation thinks that the sentence was written about its own time.",
            (
                push_in("coins", 0.35, 0.45),
                still("portrait-right", Window(0.5, 0.36, 0.7)),
                still("brick", Window(0.4, 0.6, 0.8)),
            ),
            pause=1.4,
        ),
        Passage(
            "Now it is my turn. It was the best of times, it was the worst of times. It was the "
            "age of wisdom, it was the age of foolishness.",
            (still("gravel"), push_in("coffee", 0.45, 0.42)),
            pause=1.2,
        ),
        Passage(
            "The words are the same, so why does it sound so different? A person takes a breath "
            "where the meaning turns. I only take one where I see a comma. The next time you have "
            "something important to say, remember that difference. Your listeners will forget "
            "most of your words, but they will remember where you stopped.",
            (
                still("cat"),
                Shot("portrait-left", Window(), Window(0.42, 0.38, 0.75)),
                push_in("sky", 0.4, 0.6),
            ),
            pause=3.0,
        ),
    ),
)
