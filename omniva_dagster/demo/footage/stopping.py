"""The second sample video: a monologue in short stories, by a synthetic voice. The text is ours."""

from __future__ import annotations

from omniva_dagster.demo.footage.programme import (
    Passage,
    Programme,
    Shot,
    Window,
    push_in,
    still,
)

STOPPING = Programme(
    slug="better-at-stopping",
    title="Why the most productive people are better at stopping",
    description=(
        "Three short stories about coffee, an astronaut and a cat, and what each of them says "
        "about getting things done. Spoken by a synthetic voice. "
        "The pictures illustrate: nobody who is shown speaks here, or endorses anything."
    ),
    tags=("productivity", "habits", "coffee", "cats", "space"),
    passages=(
        Passage(
            "What if the most productive people you know are not working harder than you? What if "
            "they are simply better at stopping? Here are three short stories about coffee, "
            "an astronaut, and a cat. Each of them taught me something that no calendar "
            "ever did.",
            (
                still("card:Better|at stopping", share=0.6),
                push_in("coffee", 0.45, 0.42),
                push_in("rocket"),
            ),
            pause=1.2,
        ),
        Passage(
            "Let me start with a cup of coffee. Why does the best idea of the day arrive while "
            "you are waiting for the water to boil? For years I drank my coffee at my desk, with "
            "one hand on the keyboard. Then my machine broke, and I had to walk to the corner of "
            "the street. The walk took ten minutes, and I was angry about every one of them. But "
            "in that first week I solved two problems that I had carried around for a month. The "
            "coffee was never the point. The walk was the point. So if you are stuck, do not "
            "drink faster. Stand up, and leave the room.",
            (
                push_in("coffee", 0.42, 0.35),
                still("brick"),
                Shot("cameraman", Window(0.4, 0.42, 0.85), Window(0.5, 0.42, 0.85)),
                still("coffee", Window(0.45, 0.42, 0.62)),
            ),
            pause=1.4,
        ),
        Passage(
            "Would you stop a space shuttle a few seconds before it leaves the ground? Eileen "
            "Collins was the first woman to command one. On her first night in command, a sensor "
            "reported a dangerous leak, and the launch was stopped at the very last moment. The "
            "sensor was wrong. Two nights later, the weather stopped them again. On the third "
            "try, she flew. Was all of that time wasted? I do not think so. A crew that is "
            "ready to stop is a crew that you can trust to start.",
            (
                Shot("portrait-right", Window(), Window(0.52, 0.4, 0.8)),
                still("portrait-left", Window(0.4, 0.36, 0.62)),
                push_in("sky", 0.4, 0.4, share=0.7),
                Shot("portrait-left", Window(0.45, 0.45, 0.9), Window(0.42, 0.38, 0.75)),
            ),
            pause=1.4,
        ),
        Passage(
            "Have you ever seen a cat apologize for taking a rest? A cat sleeps for more than "
            "half of the day, and nobody has ever called it lazy. But when something moves in the "
            "grass, the whole cat is awake at once. Last winter I tried to copy her. I worked on "
            "one thing only, for forty minutes, and then I stopped completely. I did not check my "
            "messages, and I did not feel guilty. After a month I had finished more than in the "
            "whole autumn. Rest is not a reward for the work. Rest is the thing that keeps you "
            "sharp.",
            (
                push_in("cat", 0.5, 0.42),
                still("grass"),
                Shot("cat", Window(0.42, 0.4, 0.6), Window(0.58, 0.4, 0.6)),
                still("coffee"),
            ),
            pause=1.4,
        ),
        Passage(
            "So here is my question for you. What will you stop doing today? Choose one thing, "
            "and write it down. Then close your computer, and go for a walk. Thank you for "
            "listening.",
            (push_in("rocket", 0.5, 0.6), still("card:What will you|stop today?", share=0.7)),
            pause=1.5,
        ),
    ),
)
