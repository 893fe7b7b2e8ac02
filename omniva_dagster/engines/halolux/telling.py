"""What a packet says, in a sentence: a function a message type, found by its name.

To tell of a new message type, write one function and put ``@tells("Its name")`` over it. It gets
the packet and what else is known, and returns the sentence, several, or nothing where there is
nothing to tell. A type without one is named plainly, so that nothing goes untold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.words import fitting


@dataclass(frozen=True)
class Said:
    """A sentence, with the packets it rests on beside the one it is about.

    ``because`` is the rule or reason behind it, where the packet gives one, and makes the sentence
    a step of the reasoning.
    """

    text: str
    because: str = ""
    packets: tuple[str, ...] = ()


Told = Said | str | Iterable[Said | str] | None
Teller = Callable[[Packet, Evidence], Told]
TELLERS: dict[str, Teller] = {}


def tells(*message_types: str) -> Callable[[Teller], Teller]:
    """Register a function as the one that tells of these message types."""

    def register(teller: Teller) -> Teller:
        for name in message_types:
            assert name not in TELLERS, f"{name} is told of twice"
            TELLERS[name] = teller
        return teller

    return register


def tell(packet: Packet, among: Evidence) -> list[Said]:
    """What a packet says; a message that is not as its type should be is named plainly."""
    teller = TELLERS.get(packet.message_type)
    if teller is None:
        return [unknown(packet)]
    try:
        told = teller(packet, among)
        said = [told] if isinstance(told, Said | str) else list(told or ())
        return [_fitted(one) for one in said]
    except (LookupError, TypeError, ValueError, AttributeError):
        return [unknown(packet)]


def unknown(packet: Packet) -> Said:
    """A packet that there are no words for."""
    return Said(f"{packet.message_type} {packet.packet_id} was recorded by {packet.producer}.")


def _fitted(said: Said | str) -> Said:
    one = Said(said) if isinstance(said, str) else said
    if not (isinstance(one.text, str) and isinstance(one.because, str)):
        raise TypeError("a field that should hold words holds something else")
    return Said(fitting(one.text), fitting(one.because), one.packets)
