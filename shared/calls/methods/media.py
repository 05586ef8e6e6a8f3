"""Media methods: playing, keys, hold."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from shared.calls import actions
from shared.calls.actions import TONE_OF_KEY
from shared.calls.actions.validate import build
from shared.calls.flow_host import FlowHost
from shared.calls.methods.base import AnyIdentifier, Block, Methods
from shared.calls.operation import Operation, Pending
from shared.calls.prompts import Words, prompt
from shared.errors import ActionRefused, InvalidInput, TimedOut
from shared.events import CallEvent
from shared.identifiers import Identifier


class MediaMethods(Methods):
    """Playing, keys, hold."""

    def play(
        self,
        *prompts: Words,
        to: AnyIdentifier | Sequence[AnyIdentifier] = (),
        loop: bool = False,
        interrupt: bool = False,
        secret: bool = False,
    ) -> Operation[CallEvent]:
        """Play prompts, one after the other, to everybody or to the named participants.

        Args:
            loop: repeat until cancelled or interrupted; such a play never completes by itself.
            interrupt: start at once, over what plays now; only for a play to everybody.
            secret: the prompts are journaled encrypted; without it only those that hold a secret of the call as it is.
        """
        return self._host.issue(self._play("play", prompts, to, loop=loop, interrupt=interrupt, secret=secret))

    def _play(
        self, method: str, prompts: Sequence[Words], to: AnyIdentifier | Sequence[AnyIdentifier], **how: bool
    ) -> actions.Play:
        targets: tuple[Identifier, ...] = ()
        if to:  # seldom, and a replay comes here for every prompt of the call
            targets = tuple(map(Identifier.parse, (to,) if isinstance(to, Identifier | str) else to))
        return build(actions.Play, method, prompts=self._played(f"{method}.prompts", prompts), to=targets, **how)

    def music(self, *prompts: Words, to: AnyIdentifier | Sequence[AnyIdentifier] = ()) -> Music:
        """`async with call.music(file(…)):` plays in a loop while the block runs, and stops on every way out of it.

        It stops with all that plays and listens. The block gets the play: race it to learn that it cannot be played.
        """
        return Music(self._host, self._play("music", prompts, to, loop=True))

    def cancel_all_media(self) -> Operation[None]:
        """Stop what plays, what listens and what is queued; those raise ActionCanceled."""
        return self._host.issue(actions.CancelAllMedia())

    # Keys

    def start_continuous_dtmf(
        self, participant: AnyIdentifier | None = None, *, secret: bool = False
    ) -> Operation[None]:
        """Report every key of a participant from here on; read them with `next_tone`.

        Args:
            secret: the keys are journaled encrypted.
        """
        return self._host.issue(build(actions.StartContinuousDtmf, participant=self._side(participant), secret=secret))

    def stop_continuous_dtmf(self, participant: AnyIdentifier | None = None) -> Operation[CallEvent]:
        """Stop reporting keys."""
        return self._host.issue(build(actions.StopContinuousDtmf, participant=self._side(participant)))

    def next_tone(self) -> Pending[str]:
        """The next key of continuous DTMF, as it stands on a phone, in the order in which the keys were pressed.

        One that was pressed earlier and not yet read counts.
        """
        return self._host.wait_tone()

    def send_dtmf(
        self, keys: str, *, participant: AnyIdentifier | None = None, secret: bool = False
    ) -> Operation[CallEvent]:
        """Press keys towards a phone: `123#`; at most 18.

        Args:
            secret: the keys are journaled encrypted; without it only where they hold a secret of the call as it is.
        """
        unknown = sorted({key for key in keys.upper() if key not in TONE_OF_KEY})
        if unknown:
            raise InvalidInput("send_dtmf.tones", f"has {unknown}, which no phone has.", "Use 0-9 A-D # *.")
        tones = tuple(TONE_OF_KEY[key] for key in keys.upper())
        action = build(actions.SendDtmf, tones=tones, participant=self._side(participant), secret=secret)
        return self._host.issue(action)

    # Hold

    def hold(self, participant: AnyIdentifier | None = None, *, audio: Words | None = None) -> Operation[None]:
        """Put a participant on hold, with audio if given."""
        heard = None if audio is None else prompt("hold.audio", audio, self._voice)
        return self._host.issue(build(actions.Hold, participant=self._side(participant), audio=heard))

    def unhold(self, participant: AnyIdentifier | None = None) -> Operation[None]:
        """Take a participant off hold."""
        return self._host.issue(build(actions.Unhold, participant=self._side(participant)))


class Music(Block):
    """What plays in a loop while a block of a flow runs."""

    def __init__(self, host: FlowHost, action: actions.Play) -> None:
        super().__init__(host, "music")
        self._action = action

    async def __aenter__(self) -> Operation[CallEvent]:
        self._entered = True
        self._playing: Operation[CallEvent] = self._host.issue(self._action)
        return self._playing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._playing.done:
            return
        stopped: Operation[None] = self._host.issue(actions.CancelAllMedia())
        if stopped.done:
            return  # the call is over
        try:
            await stopped
        except (ActionRefused, TimedOut):
            if error is None:
                raise
            # What the flow met before counts; the journal has the refusal.
