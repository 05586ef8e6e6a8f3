"""Entries as they are stored: what is secret of them encrypted, until the call is over; and as they are shown: without.

The data key of a call is made in the commit in which its flow first asks for a secret, and stands in the head. It is
destroyed in the commit in which the call has ended and the flow has returned. From then on nobody can read what was
secret: neither this app, nor who has a copy of the journal and SECRETS_KEY.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.calls.free_text import SECRET
from shared.calls.journal import (
    Entry,
    EventReceived,
    Issued,
    Marked,
    RefusedEntry,
    Responded,
    Signalled,
    encode,
)
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.secrecy import KEPT, KEPT_DATA, without_texts
from shared.secret_keys import CallCipher, SecretKeys

DESTROYED = "destroyed"
"""What a head says in place of the data key once that is destroyed."""

_SEALED = re.compile(r'\{"at":\d+,"secret":"')
_SHOWN = re.compile(r'\{"at":\d+,"secret":true')


class Sealing:
    """Encrypts entries on their way into the store and decrypts them on their way back.

    Args:
        keys: None: the app has no key, and no flow may ask for a secret.
    """

    def __init__(self, keys: SecretKeys | None) -> None:
        self._keys = keys

    @property
    def available(self) -> bool:
        """Whether flows may ask for secrets."""
        return self._keys is not None

    def texts(self, session: Session, entries: Iterable[Entry]) -> list[str]:
        """The entries of a commit as they are stored. The record of the session is the head of the same commit: it gets
        the data key when that is first needed, and loses it when the call is over."""
        record, secrecy = session.record, session.secrecy
        if secrecy.asked and not record.secrets and self._keys is not None:
            record.secrets = self._keys.new(record.call_id)
        cipher = self._cipher(record)
        texts = [_sealed(e, record.call_id, cipher) if session.hides(e) else encode(e) for e in entries]
        if record.secrets and session.finished:
            record.secrets = DESTROYED
        return texts

    def opened(self, record: CallRecord, texts: Sequence[str]) -> list[str] | None:
        """Stored entries as they were; None if something secret cannot be read: its key is destroyed, or not set."""
        if not record.secrets:
            return list(texts)
        cipher = self._cipher(record)
        if cipher is None:
            return None
        opened = [_opened(text, record.call_id, cipher) if _SEALED.match(text) else text for text in texts]
        return None if None in opened else [text for text in opened if text is not None]

    def _cipher(self, record: CallRecord) -> CallCipher | None:
        if self._keys is None or record.secrets in ("", DESTROYED):
            return None
        return self._keys.cipher(record.secrets, record.call_id)


def shown(text: str) -> dict[str, Any]:
    """A stored entry as anybody may see it: in place of what is secret it has `"secret": true`."""
    entry: dict[str, Any] = json.loads(text)
    return {**entry, "secret": True} if _SEALED.match(text) else entry


def is_shown(text: str) -> bool:
    """Whether something secret was left out of an entry."""
    return _SHOWN.match(text) is not None


def _sealed(entry: Entry, call_id: str, cipher: CallCipher | None) -> str:
    """An entry without what is secret of it, which is encrypted beside; lost, where there is no key for it."""
    open_part, taken = _parted(entry)
    if cipher is None:
        return encode(open_part.model_copy(update={"secret": True}))
    text = json.dumps(taken, ensure_ascii=False, separators=(",", ":"))
    secret = cipher.seal(text, _bound_to(call_id, json.loads(encode(open_part))))
    return encode(open_part.model_copy(update={"secret": secret}))


def _opened(text: str, call_id: str, cipher: CallCipher) -> str | None:
    entry: dict[str, Any] = json.loads(text)
    taken = cipher.open(entry.pop("secret"), _bound_to(call_id, entry))
    if taken is None:
        return None
    given = json.loads(taken)
    if entry["entry"] == "event":
        envelope, rest = entry["event"], given["event"]
        data = rest["data"] if not isinstance(rest.get("data"), dict) else {**envelope["data"], **rest["data"]}
        given = {"event": {**envelope, **rest, "data": data}}
    return json.dumps({**entry, **given}, ensure_ascii=False, separators=(",", ":"))


def _bound_to(call_id: str, entry: dict[str, Any]) -> str:
    """Which entry of which call: what was encrypted for it can stand in no other."""
    event = entry.get("event") or {}
    which = (entry["entry"], entry["at"], entry.get("seq", ""), entry.get("id", ""), event.get("id", ""))
    return "|".join(map(str, (call_id, *which)))


def _parted(entry: Entry) -> tuple[Entry, dict[str, Any]]:
    """An entry without what is secret, and that: what to put over its JSON."""
    match entry:
        case EventReceived():
            envelope = _envelope(entry.event)
            return entry.model_copy(update={"event": envelope}), {"event": _rest(entry.event, envelope)}
        case Signalled():
            return entry.model_copy(update={"data": None}), {"data": entry.data}
        case Responded():
            return entry.model_copy(update={"value": None}), {"value": entry.value}
        case RefusedEntry():
            taken = {"code": entry.code, "message": entry.message}
            return entry.model_copy(update={"code": SECRET, "message": SECRET}), taken
        case Issued():
            action = entry.action.model_dump(mode="json")
            return entry.model_copy(update={"action": without_texts(entry.action)}), {"action": action}
        case Marked():
            return entry.model_copy(update={"name": SECRET}), {"name": entry.name}
    raise TypeError(f"nothing of an entry {entry.entry!r} is secret")


def _rest(event: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of an event without its envelope; its data as a whole where that is no object."""
    given, kept = event.get("data"), envelope["data"]
    data: Any = given
    if isinstance(given, dict):
        data = {name: value for name, value in given.items() if name not in kept or kept[name] != value}
    return {**{name: value for name, value in event.items() if name not in envelope}, "data": data}


def _envelope(event: Mapping[str, Any]) -> dict[str, Any]:
    """What of an event is not secret."""
    given = event.get("data")
    given = given if isinstance(given, dict) else {}
    data: dict[str, Any] = {name: given[name] for name in KEPT_DATA if isinstance(given.get(name), str)}
    result = given.get("resultInformation")
    if isinstance(result, dict):
        codes = {name: result[name] for name in ("code", "subCode") if type(result.get(name)) is int}
        data["resultInformation"] = codes
    return {**{name: event[name] for name in KEPT if isinstance(event.get(name), str)}, "data": data}
