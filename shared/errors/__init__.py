"""Every error that Switchboard raises on purpose.

SwitchboardError
├── InvalidInput            a field of a request, body or file is wrong: names the field and the remedy
│   ├── SettingsError       an app setting is missing or wrong
│   ├── RoutingError        the routing file is wrong: names the line
│   ├── LinesError          the file of the app's numbers is wrong: names the line
│   ├── ScorecardError      a scorecard is wrong: names the line
│   ├── TextsError          the texts of a flow are wrong: names the line
│   ├── UnknownAction       no action of this name can be taken on a live call
│   ├── NotFound            there is nothing of this name or id
│   │   └── UnknownCalendar there is no calendar of this name
│   ├── VersionMismatch     what is to be changed is no longer as it was read
│   ├── KeyReused           an idempotency key came back with another request
│   └── MalformedEvent      a delivered event cannot be read
├── StateConflict           this cannot be done in the state that the thing is in
│   └── CampaignState       the same of a campaign
├── Misconfigured           the app cannot work as it is set up: its log says what to change         (retryable)
├── Refused                 a caller may not do this: no token, wrong signature, wrong call
├── KeysUnavailable         the keys that callback tokens are checked with are unavailable   (retryable)
├── LimitReached            this process holds or serves as much as it may                   (retryable)
├── CallOver                the call has ended: nothing can be done on it any more
├── NotConnected            the call has no connection yet that an action could go to
├── UnknownCall             no call with this id
├── StoreError
│   ├── AlreadyClaimed      the call exists: somebody else took it
│   ├── LostRace            the call changed since it was read: load it again            (retryable)
│   ├── StoreRefused        the storage will never take this request: it says why
│   └── StoreUnavailable    the storage did not respond or failed                         (retryable)
├── RecordingError
│   ├── UnknownRecording    no recording with this id
│   ├── ForeignLocation     a file lies at an address that this app does not fetch from
│   ├── SourceUnavailable   the file is unavailable now                                   (retryable)
│   ├── UnreadableAudio     what came is not the audio that it should be                  (retryable)
│   └── TranscriptionFailed the speech service gave no transcript                          (retryable)
├── NotificationError       shared.notifications.errors
│   ├── UnknownDeadLetter   no event of this call waits to be replayed
│   └── NotDelivered        a topic or a hook did not take an event                       (mostly retryable)
│       ├── ForbiddenAddress  a hook leads to where this app sends nothing
│       └── TopicUnavailable  the Event Grid topic did not take an event
├── WantsPerson             a caller who was offered it asks for a person: no failure
├── FlowMistake             a flow does what no flow can do: says what to write instead
│   ├── ForeignAwait        it awaits what the call does not give
│   ├── ForgottenAwait      it does not await what needs it
│   ├── NotDeterministic    it reads the clock, chance or the network
│   ├── EndlessLoop         it asks again and again for what fails at once
│   └── FlowChanged         it no longer does what its journal says it did
└── CallError               what a flow can meet at an `await`
    ├── ActionRefused       the service refused the request, or could not be reached
    │   ├── Braked          shared.calls.brakes: a brake of the app kept the request from going out
    │   ├── RunFailed       a function of `call.run` raised, or gave back what is no JSON
    │   └── ResponseLost    the request went out and no response came: what became of it is unknown      (internal)
    ├── ActionFailed        the service took the request and reported a failure later
    │   └── NoInput         a recognize heard nothing usable in all its attempts
    ├── NotOffRecord        recording or streams could not be paused for certain: nothing sensitive may be asked
    ├── ActionCanceled      the action was cancelled before it could finish
    └── TimedOut            no outcome arrived in the time that it can take

CallEnded                   the call is over. A BaseException, as asyncio's CancelledError is one: a flow that goes on
                            after an error must not take the end of its call for one

`retryable` says whether doing the same again may help.
"""

from shared.errors.base import (
    CampaignState,
    InvalidInput,
    KeyReused,
    KeysUnavailable,
    LimitReached,
    LinesError,
    MalformedEvent,
    Misconfigured,
    NotFound,
    Refused,
    RoutingError,
    ScorecardError,
    SettingsError,
    StateConflict,
    SwitchboardError,
    TextsError,
    UnknownAction,
    UnknownCalendar,
    VersionMismatch,
)
from shared.errors.calls import (
    AlreadyClaimed,
    CallOver,
    LostRace,
    NotConnected,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UnknownCall,
)
from shared.errors.flows import (
    ActionCanceled,
    ActionFailed,
    ActionRefused,
    CallEnded,
    CallError,
    NoInput,
    NotOffRecord,
    ResponseLost,
    RunFailed,
    TimedOut,
    WantsPerson,
)
from shared.errors.mistakes import (
    EndlessLoop,
    FlowChanged,
    FlowMistake,
    ForeignAwait,
    ForgottenAwait,
    NotDeterministic,
)
from shared.errors.recordings import (
    ForeignLocation,
    RecordingError,
    SourceUnavailable,
    TranscriptionFailed,
    UnknownRecording,
    UnreadableAudio,
)

__all__ = [
    "ActionCanceled",
    "ActionFailed",
    "ActionRefused",
    "AlreadyClaimed",
    "CallEnded",
    "CallError",
    "CallOver",
    "CampaignState",
    "EndlessLoop",
    "FlowChanged",
    "FlowMistake",
    "ForeignAwait",
    "ForeignLocation",
    "ForgottenAwait",
    "InvalidInput",
    "KeyReused",
    "KeysUnavailable",
    "LimitReached",
    "LinesError",
    "LostRace",
    "MalformedEvent",
    "Misconfigured",
    "NoInput",
    "NotConnected",
    "NotDeterministic",
    "NotFound",
    "NotOffRecord",
    "RecordingError",
    "Refused",
    "ResponseLost",
    "RoutingError",
    "RunFailed",
    "ScorecardError",
    "SettingsError",
    "SourceUnavailable",
    "StateConflict",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "SwitchboardError",
    "TextsError",
    "TimedOut",
    "TranscriptionFailed",
    "UnknownAction",
    "UnknownCalendar",
    "UnknownCall",
    "UnknownRecording",
    "UnreadableAudio",
    "VersionMismatch",
    "WantsPerson",
]
