"""Recording with consent: nobody is recorded before they could know, and nobody on the do-not-record list at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, Unpack, get_args

from shared.calls import actions
from shared.calls.actions import Choice
from shared.calls.actions.recording import LISTED
from shared.calls.actions.validate import build
from shared.calls.methods.asking import AskingMethods
from shared.calls.methods.base import AnyIdentifier
from shared.calls.methods.recording import RecordingMethods, RecordingOptions, fields_of
from shared.calls.operation import Task
from shared.calls.prompts import Prompt, Words
from shared.calls.results import Recording
from shared.errors import ActionRefused, CallError, InvalidInput, NoInput
from shared.identifiers import Identifier

Consent = Literal["announce", "ask", "off"]

# Not validated, as that would put pydantic's reader of choices together at import; a test does it.
YES = Choice.model_construct(label="yes", tone="one", phrases=("yes", "I agree"))
NO = Choice.model_construct(label="no", tone="two", phrases=("no", "I do not agree"))


class ConsentMethods(AskingMethods, RecordingMethods):
    """Announce, ask, record."""

    def record(
        self,
        *,
        consent: Consent,
        announcement: Words | None = None,
        question: Words | None = None,
        yes: Choice = YES,
        no: Choice = NO,
        attempts: int = 2,
        language: str | None = None,
        **options: Unpack[RecordingOptions],
    ) -> Task[Recording]:
        """Record the call once everybody on it has heard of it, or has agreed; gives what came of that.

        Nobody hears of it if somebody on the call, or in `affinity` or `ordering`, is on the do-not-record list.

        Args:
            consent: `announce`: play the announcement to its end, then record. `ask`: ask the other side, and record
                after a yes; silence is a no. `off`: do not record.
            announcement, question: what is played. Only the one that the consent needs must be given. The question
                says what to say and press; nobody can answer before it has been played to its end.
            yes, no: what is a yes and a no: by default 1 and 2, and English words.
            attempts: how often to ask.
            language: what the answer is listened for in; the language of the call unless told.
            options: as for `start_recording`.

        Raises (at the await): nothing but CallEnded.
        """
        if consent not in get_args(Consent):
            raise InvalidInput(
                "record.consent", f"{consent!r} is not one of these.", f"Known: {', '.join(get_args(Consent))}."
            )
        recording = self._checked(build(actions.StartRecording, **fields_of(**options)))
        if consent == "off":
            return self._host.spawn("record", _off())
        if consent == "announce":
            announce = build(actions.Play, prompts=(self._words("announcement", announcement),))
            return self._host.spawn("record", self._record_after(partial(self._announced, announce), recording))
        ask = partial(self._agreed, self._words("question", question), yes, no, attempts, language)
        return self._host.spawn("record", self._record_after(ask, recording))

    def may_record(self, *others: AnyIdentifier) -> Task[bool]:
        """Whether the call may be recorded with everybody on it, and with these: nobody is on the do-not-record list.

        False as well if the list cannot be read. Ask before you bring somebody into a call that is recorded.
        """
        action = actions.MayRecord(who=tuple(map(Identifier.parse, others)))
        return self._host.spawn("may_record", self._may_record(action))

    def _words(self, name: str, given: Words | None) -> Prompt:
        """What is played; InvalidInput if it is missing."""
        if given is None:
            consent = "announce" if name == "announcement" else "ask"
            raise InvalidInput(f"record.{name}", "is missing.", f"Give it, or leave consent={consent!r}.")
        return self._played(f"record.{name}", given)[0]

    async def _may_record(self, action: actions.MayRecord) -> bool:
        try:
            return bool(await self._host.issue(action))
        except CallError:
            return False

    async def _record_after(
        self, consented: Callable[[], Awaitable[bool]], recording: actions.StartRecording
    ) -> Recording:
        who = (*(one.participant for one in recording.affinity), *recording.ordering)
        try:
            if not await self._host.issue(actions.MayRecord(who=who)):
                return Recording(state="listed")
        except CallError as error:
            return Recording(state="refused", reason=str(error))
        try:
            if not await consented():
                return Recording(state="declined")
        except CallError as error:
            return Recording(state="unheard", reason=str(error))
        try:
            started = await self._host.issue(recording)
        except ActionRefused as error:  # somebody may have been listed, or have joined, since the look-up
            return Recording(state="listed" if error.code == LISTED else "refused", reason=str(error))
        except CallError as error:
            return Recording(state="refused", reason=str(error))
        return Recording(state="recording", recording_id=str(started.get("recordingId") or ""))

    async def _announced(self, announcement: actions.Play) -> bool:
        await self._host.issue(announcement)
        return True

    async def _agreed(self, question: Prompt, yes: Choice, no: Choice, attempts: int, language: str | None) -> bool:
        try:
            # The no stands first: where both are heard, it is a no.
            heard = await self.recognize(
                question, choices=(no, yes), attempts=attempts, interrupt_prompt=False, language=language
            )
        except NoInput:
            return False
        return heard.choice == yes.label


async def _off() -> Recording:
    return Recording(state="off")
