"""The HTTP API on the do-not-record list: add, remove, check. Every route needs a function key.

The number stands in the body: no log keeps it.
"""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

blueprint = func.Blueprint()


@blueprint.function_name("add_do_not_record")
@blueprint.route("do-not-record/add", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def add_do_not_record(req: func.HttpRequest) -> func.HttpResponse:
    """Never record this number."""
    return json_response(200, switchboard().do_not_record_service.add(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("remove_do_not_record")
@blueprint.route("do-not-record/remove", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def remove_do_not_record(req: func.HttpRequest) -> func.HttpResponse:
    """This number may be recorded again."""
    return json_response(200, switchboard().do_not_record_service.remove(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("check_do_not_record")
@blueprint.route("do-not-record/check", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def check_do_not_record(req: func.HttpRequest) -> func.HttpResponse:
    """Whether this number is on the list."""
    return json_response(200, switchboard().do_not_record_service.check(req.get_body()).model_dump(mode="json"))
