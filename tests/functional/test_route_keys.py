"""What each HTTP route asks for, written out: a key that is left away shows here."""

from __future__ import annotations

from tests.functional.app import http_routes

PUBLIC = {"health": ("GET",)}
PAGES = {
    "get_button": ("POST", "OPTIONS"),
    "ask_for_call": ("POST", "OPTIONS"),
    "get_click_call": ("GET",),
    "cancel_click_call": ("POST", "OPTIONS"),
    "button_script": ("GET",),
    "button_demo": ("GET",),
}
"""For web pages with a call-me button: by its token, or by the id of a request (test_click.py)."""
SIGNED = {"stream_signals": ("POST",)}
"""By the streams service (test_stream_signals.py)."""
CONSOLE = {route.name: route.methods for route in http_routes() if route.template.split("/")[0] == "console"}
"""By the console's own sign-in: a table in console/test_console_sign_in.py has each, and who may."""
MASTER_KEY = {
    "export_person": ("POST",),
    "erase_person": ("POST",),
    "get_switches": ("GET",),
    "turn_switches": ("POST",),
}
FUNCTION_KEY = {
    "place_call": ("POST",),
    "list_flows": ("GET",),
    "diagnostics": ("GET",),
    "put_back_messages": ("POST",),
    "list_calls": ("GET",),
    "search_calls": ("POST",),
    "get_call": ("GET",),
    "get_journal": ("GET",),
    "get_participants": ("GET",),
    "act_on_call": ("POST",),
    "signal_call": ("POST",),
    "openapi": ("GET",),
    "add_do_not_record": ("POST",),
    "remove_do_not_record": ("POST",),
    "check_do_not_record": ("POST",),
    "list_calendars": ("GET",),
    "get_calendar": ("GET",),
    "put_calendar": ("PUT",),
    "delete_calendar": ("DELETE",),
    "make_campaign": ("POST",),
    "list_campaigns": ("GET",),
    "get_campaign": ("GET",),
    "remove_campaign": ("DELETE",),
    "command_campaign": ("POST",),
    "pace_campaign": ("POST",),
    "read_files_so": ("POST",),
    "upload_people": ("POST",),
    "get_upload": ("GET",),
    "send_people": ("POST",),
    "preview_people": ("POST",),
    "get_progress": ("GET",),
    "dry_run": ("POST",),
    "get_results": ("GET",),
    "get_audit": ("GET",),
    "list_do_not_call": ("GET",),
    "check_do_not_call": ("POST",),
    "add_do_not_call": ("POST",),
    "remove_do_not_call": ("POST",),
    "import_do_not_call": ("PUT",),
    "search_evidence": ("POST",),
    "list_sites": ("GET",),
    "get_site": ("GET",),
    "put_site": ("PUT",),
    "delete_site": ("DELETE",),
    "list_click_requests": ("GET",),
    "list_orders": ("GET",),
    "get_order": ("GET",),
    "handle_order": ("POST",),
    "open_masking_session": ("POST",),
    "list_masking_sessions": ("GET",),
    "get_masking_pool": ("GET",),
    "get_masking_session": ("GET",),
    "change_masking_session": ("PATCH",),
    "close_masking_session": ("DELETE",),
    "list_masking_calls": ("GET",),
    "list_cases": ("GET",),
    "get_case": ("GET",),
    "mark_called_back": ("POST",),
    "handoff_figures": ("GET",),
    "list_reports": ("GET",),
    "get_report": ("GET",),
    "get_report_page": ("GET",),
    "list_recordings": ("GET",),
    "get_recording": ("GET",),
    "replay_recording": ("POST",),
    "list_dead_letters": ("GET",),
    "replay_dead_letter": ("POST",),
}


def test_every_route_asks_for_what_this_list_says() -> None:
    others = [route for route in http_routes() if not route.template.startswith("callbacks/{call_id}")]
    found = {
        level: {r.name: r.methods for r in others if r.auth_level == level}
        for level in ("anonymous", "function", "admin")
    }
    assert found == {"anonymous": PUBLIC | PAGES | SIGNED | CONSOLE, "function": FUNCTION_KEY, "admin": MASTER_KEY}
    assert len(others) == sum(len(routes) for routes in found.values())


def test_callbacks_take_nothing_but_post_and_are_20() -> None:
    callbacks = [route for route in http_routes() if route.template.startswith("callbacks/{call_id}")]
    assert {(route.auth_level, route.methods) for route in callbacks} == {("anonymous", ("POST",))}
    assert len(callbacks) == 20
