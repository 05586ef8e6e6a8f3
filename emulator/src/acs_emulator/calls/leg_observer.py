"""Who is told what happens on one app leg."""

from __future__ import annotations


class LegObserver:
    """Is told what happens on an app leg. Each method does nothing unless it is overridden."""

    def connected(self) -> None:
        """The leg is up."""

    def dropped(self) -> None:
        """The leg goes away; CallDisconnected comes after what is emitted here."""

    def key_pressed(self, raw_id: str, key: str) -> None:
        """A participant has pressed a key, as it is printed on the phone."""

    def speech_began(self, raw_id: str, text: str, seconds: float) -> None:
        """An audible participant begins to say something that takes so long."""

    def speech_ended(self, raw_id: str, text: str) -> None:
        """The participant has said it."""

    def words_found(self, raw_id: str, text: str, seconds: float) -> None:
        """What has just been said over so many seconds is known only now; no ``speech_began`` had its words."""
