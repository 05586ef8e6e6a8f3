"""What the use cases have in common: each is a package of its own, made at its first request (docs/use-cases.md).

A flow asks for the service of its use case by name, so that importing the flow does not import the use case:

    if TYPE_CHECKING:
        from shared.masking.service import Masking

    masking: Masking = service("masking")
    session = await call.run(masking.look_up, call.callee.raw_id, call.caller.raw_id)
"""

from shared.use_cases.base import Agenda, Erased, Queue, Task, UseCase
from shared.use_cases.services import provide, service

__all__ = ["Agenda", "Erased", "Queue", "Task", "UseCase", "provide", "service"]
