"""What is said and seen in a video, and the spans of it worth clipping (module interfaces, 5.2).

`analyze.analyze` does it all; `sidecars` keeps what it found beside the result; `models` finds the
speech model. The rest are the steps: `audio`, `speech`, `pictures` read the file, and `words`,
`timing`, `sentences`, `keywords`, `features`, `candidates`, `selection` are pure.
"""

# Part of `sidecars.fingerprint`: raise it whenever the same file would be analyzed differently.
ANALYZER_VERSION = "2"
