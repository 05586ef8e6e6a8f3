"""Files that are dropped into a container count as uploads: `outreach-in/spring/monday.csv` is one to the campaign
`spring`. A look at them is on the agenda each minute, as long as there is a campaign that may get some."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from shared.errors import CampaignState, LostRace
from shared.logs import logger
from shared.outreach.campaign import Campaign
from shared.outreach.dialer import USE
from shared.outreach.ports import Clock, DroppedFile, Files
from shared.outreach.sending import Sending
from shared.outreach.state import State
from shared.use_cases.base import Agenda

log = logger("switchboard.outreach")

INBOX = "_inbox"
"""The item of the agenda; no campaign is called so."""
LOOKED_AT = timedelta(minutes=1)
"""How often it is looked for files (our choice)."""
SETTLED = timedelta(seconds=20)
"""A file that was changed since may still be written (our choice)."""
TAKES_FILES = timedelta(days=31)
"""How long a finished campaign is expected to get a further file (our choice)."""
WHO = "outreach-in"
"""Who has sent such a file, for the audit."""


class Inbox:
    """Takes the files that were dropped.

    Args:
        uploaded: told of each file that was taken: the campaign, who sent it, and the upload's id.
    """

    def __init__(
        self,
        state: State,
        files: Files,
        sending: Sending,
        agenda: Agenda,
        clock: Clock,
        uploaded: Callable[[str, str, str], None],
    ) -> None:
        self._state = state
        self._files = files
        self._sending = sending
        self._agenda = agenda
        self._now = clock
        self._uploaded = uploaded
        self._warned: set[str] = set()

    def look_soon(self) -> None:
        """Have it looked for files. One round trip."""
        self._agenda.put(USE, INBOX, self._now() + LOOKED_AT)

    def look(self) -> int:
        """Take what is there; how many files. The next look is on the agenda first, so that none is the last."""
        if not any(map(self._may_get_files, self._state.campaigns.all())):
            return 0
        self.look_soon()
        settled = self._now() - SETTLED
        waiting = [file for file in self._files.dropped() if file.changed <= settled]
        return sum(map(self._take, waiting))

    def _may_get_files(self, campaign: Campaign) -> bool:
        if campaign.state == "finished" and campaign.finished is not None:
            return self._now() - campaign.finished < TAKES_FILES
        return campaign.state != "stopped"

    def _take(self, file: DroppedFile) -> bool:
        """Take one file; whether that was done. One that stays is found by the next look."""
        campaign, _, rest = file.name.partition("/")
        if not rest or self._state.campaigns.get(campaign) is None:
            self._warn(file, "its folder is not the id of a campaign: it is left")
            return False
        upload = hashlib.sha256(f"{WHO}\n{file.name}\n{file.version}".encode()).hexdigest()[:24]
        try:
            self._sending.take(campaign, upload, file.version, self._files.read_dropped(file), WHO)
        except CampaignState as error:
            self._warn(file, str(error))
            return False
        except LostRace:
            return False  # it was written anew meanwhile
        self._uploaded(campaign, WHO, upload)
        self._files.remove_dropped(file)
        return True

    def _warn(self, file: DroppedFile, why: str) -> None:
        """Say once of each file why it stays; its name may be that of a person."""
        if file.version not in self._warned:
            self._warned.add(file.version)
            log.warning("a file in %s is not imported: %s", WHO, why)
