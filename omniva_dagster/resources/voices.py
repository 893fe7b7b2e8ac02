"""A creator's voice as people write it: one YAML file, read whole and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from omniva_dagster.contracts.errors import ContractError, Fault, fault
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.voice import BrandVoice
from omniva_dagster.engines import chorus
from omniva_dagster.settings import settings

DEFAULT = "default"
_MOST_BYTES = 64 * 1024
# Of a file with more faults the first are told: who mends these sees the others.
_TOLD = 50


def voices_folder() -> Path:
    """Where operators write their creators' voices."""
    return settings().home / "voices"


def voice_file(creator: str, folder: Path | None = None) -> Path | None:
    """The file that applies to a creator: their own, else the default one, else None."""
    folder = folder or voices_folder()
    candidates = (folder / f"{name}.yaml" for name in (creator, DEFAULT))
    return next((path for path in candidates if path.is_file()), None)


def read_voice(creator: str, folder: Path | None = None) -> BrandVoice | None:
    """How a creator's clips are to be worded; None where nobody wrote it down.

    `WorkerError` ``bad_command`` with every wrong field of the file, each with its line.
    """
    path = voice_file(creator, folder)
    if path is None:
        return None
    try:
        return parse_voice(path)
    except ContractError as error:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"{path} is not a valid BrandVoice: {_all_of(error.faults)}; correct it "
            "(docs/advisors.md lists its fields), and run again",
        ) from error


def parse_voice(path: Path) -> BrandVoice:
    """The voice in a file. `ContractError` naming every wrong field, each with its line."""
    from omniva_dagster.workers.editor.brand.text import parsed

    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        said = fault((), f"cannot be read: {error.strerror}")
        raise ContractError.invalid("BrandVoice", [said]) from None
    if len(raw) > _MOST_BYTES:
        raise ContractError.invalid("BrandVoice", [fault((), f"is over {_MOST_BYTES} bytes")])
    value, lines, faults = parsed(raw)
    known = {found["pointer"] for found in faults}
    if "" not in known:
        try:
            voice = BrandVoice.parse(value)
        except ContractError as error:
            faults += [found for found in error.faults if found["pointer"] not in known]
        else:
            faults += _wordless(voice)
    if faults:
        raise ContractError.invalid("BrandVoice", [_placed(found, lines) for found in faults])
    return voice


def _all_of(faults: list[Fault]) -> str:
    said = [f"{one['pointer'] or '/'}: {one['message']}" for one in faults[:_TOLD]]
    more = [f"and {len(faults) - _TOLD} more"] if len(faults) > _TOLD else []
    return "; ".join([*said, *more])


def _wordless(voice: BrandVoice) -> Iterator[Fault]:
    """Words with nothing in them that people could see: a rule on them would never apply."""
    words: list[tuple[tuple[str | int, ...], str]] = []
    for name in ("avoid", "require"):
        words += [((name, n), word) for n, word in enumerate(getattr(voice, name) or ())]
    for n, item in enumerate(voice.replace or ()):
        words += [(("replace", n, "word"), item.word), (("replace", n, "use"), item.use)]
    for n, policy in enumerate(voice.policies or ()):
        words += [(("policies", n, "words", m), word) for m, word in enumerate(policy.words)]
    if voice.disclosure is not None:
        words.append((("disclosure",), voice.disclosure))
    for location, word in words:
        if not chorus.plain(word):
            yield fault(location, "must have a letter or sign that can be seen")


def _placed(found: Fault, lines: Mapping[str, int]) -> Fault:
    """A fault with the line of what it is about, or of the nearest that has one."""
    pointer = found["pointer"]
    while pointer not in lines and pointer:
        pointer = pointer.rpartition("/")[0]
    line = found.get("line", lines.get(pointer))
    said = f"{found['message']} (line {line})" if line else found["message"]
    return {**found, "message": said}
