"""A creator's brand kit: what makes clips look like theirs, as one document.

It is configuration, not a message: it is written by people as YAML and never travels. Paths are
relative to the kit's folder.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import COLOUR_PATTERN, FILE_PATTERN, Opt, SemVer

BrandFile = Annotated[str, StringConstraints(pattern=FILE_PATTERN, max_length=200)]
Colour = Annotated[str, StringConstraints(pattern=COLOUR_PATTERN, max_length=7)]
Family = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{0,63}$")]


class BrandFont(Document):
    """The font of captions and title cards: a bundled family, or a file of the kit."""

    family: Opt[Family] = Field(default=None, description="A bundled family: Source Sans Pro.")
    file: Opt[BrandFile] = Field(default=None, description="A TrueType or OpenType file.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.family is None) == (self.file is None):
            raise ValueError("a font is either a family or a file")
        return self


class BrandColours(Document):
    """Colours as #RRGGBB, in quotes: YAML takes a bare # for a comment."""

    text: Opt[Colour] = Field(default=None, description="The words.")
    highlight: Opt[Colour] = Field(default=None, description="The word that is being spoken.")
    outline: Opt[Colour] = Field(default=None, description="The line around the letters.")
    box: Opt[Colour] = Field(default=None, description="A box behind the words, if one is wanted.")


class BrandCaptions(Document):
    """How captions are set; what is left out is the style's."""

    style: Opt[Literal["clean", "karaoke", "bold"]] = Field(
        default=None, description="The style that the rest changes."
    )
    size: Opt[Annotated[int, Field(ge=48, le=200)]] = Field(
        default=None, description="Font size in pixels of a picture 1920 high."
    )
    max_words: Opt[Annotated[int, Field(ge=1, le=3)]] = Field(
        default=None, description="Words shown at a time."
    )
    upper: Opt[bool] = Field(default=None, description="All in capitals.")
    position: Opt[Literal["lower", "middle", "upper"]] = Field(
        default=None, description="Where captions stand while nothing is in their way."
    )
    outline: Opt[Annotated[float, Field(ge=0, le=20)]] = Field(
        default=None, description="Width of the line around the letters, in pixels."
    )


class BrandLogo(Document):
    """A picture that stands in a corner throughout."""

    file: BrandFile = Field(description="A PNG, with transparency if wanted.")
    corner: Opt[Literal["top_left", "top_right", "bottom_left", "bottom_right"]] = Field(
        default=None, description="Where it stands, inside the safe area; top_right if left out."
    )
    width: Opt[Annotated[float, Field(ge=0.05, le=0.4)]] = Field(
        default=None, description="Its share of the picture's width; 0.16 if left out."
    )
    opacity: Opt[Annotated[float, Field(ge=0.1, le=1)]] = Field(
        default=None, description="1 hides what is behind it; 0.85 if left out."
    )


class BrandPace(Document):
    """Whether pauses are tightened."""

    pause_over: Opt[Annotated[float, Field(ge=0.3, le=3)]] = Field(
        default=None, description="Seconds from which a pause is shortened; 0.6 if left out."
    )
    pause_to: Opt[Annotated[float, Field(ge=0.1, le=1)]] = Field(
        default=None, description="Seconds that are left of it; 0.25 if left out."
    )
    fillers: Opt[bool] = Field(default=None, description="Whether lone fillers (um, äh) go too.")

    @model_validator(mode="after")
    def _shorter_than_before(self) -> Self:
        over = 0.6 if self.pause_over is None else self.pause_over
        if (0.25 if self.pause_to is None else self.pause_to) >= over:
            raise ValueError("pause_to must be shorter than pause_over")
        return self


class BrandKit(Document):
    """How a creator's clips look and sound."""

    captions: Opt[BrandCaptions] = Field(default=None, description="How captions are set.")
    font: Opt[BrandFont] = Field(default=None, description="The font of captions and cards.")
    colours: Opt[BrandColours] = Field(default=None, description="Colours of captions and cards.")
    logo: Opt[BrandLogo] = Field(default=None, description="A picture in a corner.")
    intro: Opt[BrandFile] = Field(
        default=None, description="A video of at most 10 s (mp4, mov, mkv, webm) before each clip."
    )
    outro: Opt[BrandFile] = Field(default=None, description="The same, after each clip.")
    title_card: Opt[bool] = Field(
        default=None, description="Set the clip's opening words over its thumbnail."
    )
    faceless: Opt[Literal["fit", "centre"]] = Field(
        default=None, description="A shot without a face: whole over its own blur, or cropped."
    )
    pace: Opt[BrandPace] = Field(
        default=None, description="Tighten pauses; {} for the usual. Kept as spoken if left out."
    )
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
