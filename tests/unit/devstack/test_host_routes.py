"""ASP.NET route templates and the router."""

from __future__ import annotations

import pytest

from devstack.host.errors import StartupError
from devstack.host.routes import Route, Router, parse_template


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("", "", {}),
        ("a/b", "A/B", {}),
        ("a/b", "a", None),
        ("a/b", "a/b/c", None),
        ("a/{x}", "a/1", {"x": "1"}),
        ("a/{x}", "a", None),
        ("a/{x}", "a/", None),
        ("a/{x?}", "a", {}),
        ("a/{x?}", "a/1", {"x": "1"}),
        ("a/{x=7}", "a", {"x": "7"}),
        ("a/{x=7}", "a/8", {"x": "8"}),
        ("a/{x:int}", "a/12", {"x": "12"}),
        ("a/{x:int}", "a/b", None),
        ("a/{x:int?}", "a", {}),
        ("a/{x:guid}", "a/0f8fad5b-d9cb-469f-a165-70867728950e", {"x": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ("a/{x:guid}", "a/0f8fad5b", None),
        ("a/{x:length(2,3)}", "a/1", None),
        ("a/{x:length(2,3)}", "a/123", {"x": "123"}),
        ("a/{x:int:range(1,9)}", "a/10", None),
        ("a/{x:min(1)}", "a/" + "9" * 5000, None),
        ("a/{x:max(9)}", "a/-" + "9" * 5000, None),
        ("a/{x:regex(^b\\d+$)}", "a/b12", {"x": "b12"}),
        ("a/{x:alpha}", "a/b1", None),
        ("a/{*rest}", "a", {}),
        ("a/{*rest}", "a/b/c.d", {"rest": "b/c.d"}),
        ("{x}.{kind}", "name.json", {"x": "name", "kind": "json"}),
        ("v1-{x}/y", "v1-3/Y", {"x": "3"}),
        ("a.b/{x}", "acb/1", None),
    ],
)
def test_a_template_takes_the_paths_that_asp_net_would(
    template: str, path: str, expected: dict[str, str] | None
) -> None:
    assert parse_template(template, "f").match(path) == expected


@pytest.mark.parametrize("template", ["a/{x", "a/x}", "a/{}", "a/{x:nonsense}", "{*a}/b", "{x}/{X}", "a/{x:length}"])
def test_a_template_that_cannot_be_read_is_refused_by_name(template: str) -> None:
    with pytest.raises(StartupError, match="Function 'f'"):
        parse_template(template, "Function 'f'")


def router(*routes: tuple[str, str, str]) -> Router[str]:
    return Router(
        Route(parse_template(text, name), frozenset(methods.split()), name, name) for name, text, methods in routes
    )


def test_the_more_literal_route_wins_whatever_the_order() -> None:
    found = router(
        ("all", "{*rest}", ""), ("one", "calls/{id}", ""), ("int", "calls/{id:int}", ""), ("lit", "calls/me", "")
    )
    names = [found.find(path, "GET") for path in ("/calls/me", "/calls/1", "/calls/x", "/other")]
    assert [name[0].target for name in names if isinstance(name, tuple)] == ["lit", "int", "one", "all"]


def test_methods_lead_to_their_own_function_and_others_are_named() -> None:
    found = router(("get", "calls/{id}", "GET"), ("put", "calls/{call}", "PUT PATCH"))
    got, put = found.find("calls/1", "GET"), found.find("calls/1", "PATCH")
    assert isinstance(got, tuple)
    assert got[1] == {"id": "1"}
    assert isinstance(put, tuple)
    assert put[1] == {"call": "1"}
    assert found.find("calls/1", "DELETE") == frozenset({"GET", "PUT", "PATCH"})
    assert found.find("nothing", "GET") == frozenset()


@pytest.mark.parametrize(("first", "second"), [("GET POST", "POST"), ("", "GET"), ("GET", ""), ("", "")])
def test_two_functions_of_one_route_and_method_are_refused(first: str, second: str) -> None:
    with pytest.raises(StartupError, match=r"(?i)'a' and 'b' have the same route: .* x/"):
        router(("a", "x/{one}", first), ("b", "X/{two}", second))
