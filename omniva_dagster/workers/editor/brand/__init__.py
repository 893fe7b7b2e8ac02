"""A creator's brand kit: read from YAML, checked whole, and resolved to a style and files.

A kit is a folder's ``<creator>.yaml``, or its ``default.yaml``; the files it names are in the same
folder or below it. Every wrong field is named at once (`ContractError`, with the line it is on).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.brand import BrandCaptions, BrandKit, BrandPace
from omniva_dagster.contracts.errors import ContractError, Fault, fault
from omniva_dagster.workers.editor.brand.branding import PLAIN, Asset, Branding, Bumper, Logo
from omniva_dagster.workers.editor.brand.files import (
    Refused,
    checked_font,
    checked_logo,
    checked_video,
    read_inside,
)
from omniva_dagster.workers.editor.brand.text import parsed
from omniva_dagster.workers.editor.sound.loudness import NO_SOUND, Loudness
from omniva_dagster.workers.editor.style import Pace, Style, style_named

DEFAULT = "default"
_MOST_TEXT = 64 * 1024
_MOST_LOGO = 8 * 2**20
_MOST_FONT = 24 * 2**20
_MOST_VIDEO = 256 * 2**20

# Finds the loudness of a whole file: path, SHA-256, seconds. See `find_loudness`.
Listen = Callable[[Path, str, float], Loudness]


@dataclass(frozen=True)
class Brand:
    """A creator's look: the style of their clips, and what else is put on them.

    ``source`` is the kit's file, None where there is none.
    """

    style: Style
    branding: Branding = PLAIN
    source: Path | None = None


def kit_file(folder: Path, creator: str) -> Path | None:
    """The kit that applies to a creator: their own, else the default one, else None."""
    candidates = (folder / f"{name}.yaml" for name in (creator, DEFAULT))
    return next((path for path in candidates if path.is_file()), None)


def read_kit(path: Path) -> BrandKit:
    """The kit in a YAML file. `ContractError` naming every wrong field, each with its line."""
    kit, faults, lines = _read(path)
    if faults:
        raise ContractError.invalid("BrandKit", _placed(faults, lines))
    return kit


def read_brand(
    folder: Path, creator: str, base: str, listen: Listen = lambda *_: NO_SOUND
) -> Brand:
    """The brand of a creator; the style called ``base`` alone if they have no kit.

    ``listen`` finds the loudness of an intro or outro. Raises `ContractError` naming every wrong
    field and file of a kit, `WorkerError` for an unknown ``base`` and as ``listen`` does.
    """
    path = kit_file(folder, creator)
    if path is None:
        return Brand(style_named(base))
    kit, faults, lines = _read(path)
    # With a field wrong nothing will come of it, but its files are looked at all the same.
    found = _Resolver(path, kit, (lambda *_: NO_SOUND) if faults else listen)
    brand = found.brand(base)
    if faults := [*faults, *found.faults]:
        raise ContractError.invalid("BrandKit", _placed(faults, lines))
    return brand


def _read(path: Path) -> tuple[BrandKit, list[Fault], dict[str, int]]:
    """What of a kit is right, what is wrong, and the lines of its fields by JSON Pointer."""
    try:
        raw = read_inside(path.parent, path.name, _MOST_TEXT)
    except Refused as refused:
        return BrandKit(), [fault((), str(refused))], {}
    value, lines, faults = parsed(raw)
    known = {found["pointer"] for found in faults}
    if "" in known:  # a fault of the whole: nothing in it can be looked at
        return BrandKit(), faults, lines
    try:
        return BrandKit.parse(value), faults, lines
    except ContractError as error:
        faults += [found for found in error.faults if found["pointer"] not in known]
    wrong = {found["pointer"].split("/")[1] for found in faults if found["pointer"]}
    rest = {name: field for name, field in value.items() if name not in wrong}
    try:
        return BrandKit.parse(rest), faults, lines
    except ContractError:
        return BrandKit(), faults, lines


def style_of(kit: BrandKit, base: str) -> Style:
    """The style that a kit comes to, ``base`` being the one it changes if it names none."""
    captions = kit.captions or BrandCaptions()
    style = style_named(captions.style or base)
    changes: dict[str, Any] = {
        "font_size": captions.size,
        "max_words": captions.max_words,
        "upper": captions.upper,
        "position": captions.position,
        "outline": captions.outline,
        "faceless": kit.faceless,
        "title_card": kit.title_card,
        "font": kit.font.family if kit.font else None,
        "pace": _pace(kit.pace) if kit.pace else None,
    }
    if colours := kit.colours:
        changes |= {
            "text_colour": colours.text,
            "highlight_colour": colours.highlight,
            "outline_colour": colours.outline,
            "box_colour": colours.box,
        }
    return replace(style, **{name: value for name, value in changes.items() if value is not None})


def _pace(pace: BrandPace) -> Pace:
    return Pace(**pace.model_dump(exclude_none=True))


class _Resolver:
    """Looks at every file of a kit, and goes on when one is wrong."""

    def __init__(self, path: Path, kit: BrandKit, listen: Listen) -> None:
        self._folder = path.parent
        self._path = path
        self._kit = kit
        self._listen = listen
        self.faults: list[Fault] = []
        self._assets: dict[str, Asset] = {}
        self._font: Path | None = None

    def brand(self, base: str) -> Brand:
        kit = self._kit
        style = style_of(kit, base)
        if kit.font and kit.font.file:
            style = self._with_font(style, kit.font.file)
        logo = self._logo()
        branding = Branding(
            logo=logo,
            intro=self._bumper("intro", kit.intro),
            outro=self._bumper("outro", kit.outro),
            font=self._font,
            assets=dict(self._assets),
        )
        return Brand(style, branding, self._path)

    def _with_font(self, style: Style, named: str) -> Style:
        try:
            family = checked_font(read_inside(self._folder, named, _MOST_FONT))
        except Refused as refused:
            self.faults.append(fault(("font", "file"), str(refused)))
            return style
        self._font = (self._folder / named).resolve()
        return replace(style, font=family)

    def _logo(self) -> Logo | None:
        wanted = self._kit.logo
        if wanted is None:
            return None
        try:
            digest = checked_logo(read_inside(self._folder, wanted.file, _MOST_LOGO))
        except Refused as refused:
            self.faults.append(fault(("logo", "file"), str(refused)))
            return None
        self._keep("brand/logo.png", wanted.file, digest)
        chosen = wanted.model_dump(exclude_none=True, exclude={"file"})
        return Logo(name="brand/logo.png", **chosen)

    def _bumper(self, place: str, named: str | None) -> Bumper | None:
        if named is None:
            return None
        try:
            raw = read_inside(self._folder, named, _MOST_VIDEO)
            seen = checked_video(raw)
        except Refused as refused:
            self.faults.append(fault((place,), str(refused)))
            return None
        name = f"brand/{place}.{seen.demuxer}"
        path = self._keep(name, named, seen.sha256)
        sound = self._listen(path, seen.sha256, seen.duration) if seen.has_audio else NO_SOUND
        return Bumper(
            name=name,
            demuxer=seen.demuxer,
            duration=seen.duration,
            width=seen.width,
            height=seen.height,
            has_audio=seen.has_audio,
            loudness=sound,
            colour=seen.colour,
        )

    def _keep(self, name: str, named: str, digest: str) -> Path:
        path = (self._folder / named).resolve()
        self._assets[name] = Asset(path, digest)
        return path


def _placed(faults: list[Fault], lines: Mapping[str, int]) -> list[Fault]:
    """Faults with the line of what they are about: of the nearest that has one."""
    placed = []
    for found in faults:
        pointer = found["pointer"]
        while pointer not in lines and pointer:
            pointer = pointer.rpartition("/")[0]
        line = found.get("line", lines.get(pointer))
        if line is None:
            placed.append(found)
        else:
            placed.append({**found, "message": f"{found['message']} (line {line})", "line": line})
    return placed
