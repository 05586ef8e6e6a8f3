"""What the released Python and JavaScript SDKs of Call Automation can send and take, read from their packages.

    python -m emulator.tools.released_sdks [FILE]

Asks the package indexes for every release since 1.0 (through pip and npm, as these are configured), reads the
packages without running them, and writes what requests can hold: by operation, the models of bodies, the values of
enums, the statuses that count as success, and the api-versions of each release, the default last. `FILE` is
`emulator/tests/conformance/released_sdks.json` unless it is given; `test_released_sdks.py` beside it holds the
emulator's schemas against it without any network.
"""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PYTHON, JAVASCRIPT = "azure-communication-callautomation", "@azure/communication-call-automation"
TARGET = Path(__file__).parents[1] / "tests" / "conformance" / "released_sdks.json"
#: A model's property in Python's docstring, with the enum of its values: `:vartype kind: str or ~…models.Kind`.
_ENUM_TYPE = re.compile(
    r":vartype (\w+): (?:(?!:ivar).)*?~azure\.communication\.callautomation\.models\.(\w+)", re.DOTALL
)
#: An operation as JavaScript's generated client specifies it: path, method, responses, and the parameter of the body.
_SPECIFICATION = re.compile(
    r'path: "([^"]+)",\s*httpMethod: "(\w+)",\s*responses: \{(.*?)\n    \},'
    r"(?:\s*requestBody: Parameters\.(\w+))?",
    re.DOTALL,
)
_FIRST_VERSION = (1, 0, 0)
Facts = dict[str, dict[str, Any]]


@dataclass
class Release:
    """One release. Models are by name, then by property: `type` and whether it is `required`."""

    name: str
    api_version: str
    #: By `METHOD /path`: the body's model (or none) and the statuses of success.
    operations: dict[str, tuple[str | None, list[int]]] = field(default_factory=dict)
    models: dict[str, Facts] = field(default_factory=dict)
    enums: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


# Python: modules that autorest has generated, read as syntax trees


def read_python(wheel: bytes, version: str) -> Release:
    """A wheel. Raises LookupError when it is not laid out as every release so far."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        root = "azure/communication/callautomation/"
        names = [name for name in archive.namelist() if name.startswith(root) and "/aio/" not in name]

        def tree(end: str) -> ast.Module:
            found = sorted(name for name in names if name.endswith(end))
            if not found:
                raise LookupError(f"{version} has no {end}")
            return ast.parse("\n".join(archive.read(name).decode() for name in found if "_py3" not in name))

        operations, models = tree("_generated/operations/_operations.py"), tree("_generated/models/_models.py")
        enums = [tree("_generated/models/_enums.py"), tree("_shared/models.py"), tree("/_api_versions.py")]
        [default] = {ast.unparse(one) for one in _api_versions(operations)}
    release = Release(f"python {version}", ast.literal_eval(default))
    for module in enums:
        for name, values in _enums(module):
            release.enums[name] |= values
    for node in models.body:
        if isinstance(node, ast.ClassDef):
            release.models[node.name] = _properties(node)
    _inherit(models, release.models)
    release.operations = _operations(operations)
    return release


def _api_versions(module: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_params.pop" and len(node.args) == 2:
            name, default = node.args
            if isinstance(name, ast.Constant) and name.value == "api-version":
                yield default


def _enums(module: ast.Module) -> Iterator[tuple[str, set[str]]]:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
            values = {
                part.value.value
                for part in node.body
                if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant)
            }
            yield node.name, {value for value in values if isinstance(value, str)}


def _properties(node: ast.ClassDef) -> Facts:
    given = {
        ast.unparse(part.targets[0]): part.value
        for part in node.body
        if isinstance(part, ast.Assign) and len(part.targets) == 1
    }
    if "_attribute_map" not in given:
        return {}
    types: dict[str, dict[str, str]] = ast.literal_eval(given["_attribute_map"])
    rules: dict[str, dict[str, Any]] = ast.literal_eval(given["_validation"]) if "_validation" in given else {}
    enums = dict(_ENUM_TYPE.findall(ast.get_docstring(node) or ""))
    found: Facts = {}
    for name, about in types.items():
        kind = about["type"]
        inner = enums.get(name, "") if kind.strip("[]{}") == "str" else ""
        found[about["key"]] = {
            "type": kind.replace("str", inner) if inner else kind,
            "required": bool(rules.get(name, {}).get("required", False)),
        }
    return found


def _inherit(module: ast.Module, models: dict[str, Facts]) -> None:
    """A base model stands for all that its subtypes can hold: the discriminator's values are one model here."""
    for node in module.body:
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            if isinstance(base, ast.Name) and base.id in models and isinstance(node, ast.ClassDef):
                for name, about in models[node.name].items():
                    models[base.id].setdefault(name, about)


def _operations(module: ast.Module) -> dict[str, tuple[str | None, list[int]]]:
    requests = {node.name: _request(node) for node in module.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, tuple[str | None, list[int]]] = {}
    for owner in module.body:
        for method in owner.body if isinstance(owner, ast.ClassDef) else ():
            if not isinstance(method, ast.FunctionDef):
                continue
            text = ast.unparse(method)
            built = next((name for name in requests if f" {name}(" in text), None)
            if built is None:
                continue
            body = re.search(r"_serialize\.body\(\w+, '(\w+)'\)", text)
            statuses = re.search(r"status_code not in (\[[\d, ]+\])", text)
            assert statuses is not None, method.name
            found[requests[built]] = (body and body[1], ast.literal_eval(statuses[1]))
    return found


def _request(node: ast.FunctionDef) -> str:
    text = ast.unparse(node)
    method, path = re.search(r"method='(\w+)'", text), re.search(r"_url = '([^']+)'", text)
    return f"{method[1]} {path[1]}" if method and path else ""


# JavaScript: object literals that autorest has generated; Node.js turns them into JSON


def read_javascript(package: bytes, version: str) -> Release:
    """A package as `npm pack` gives it. Raises LookupError when it is not laid out as every release so far."""
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        files: dict[str, str] = {}
        for member in archive.getmembers():
            place = re.fullmatch(r"package/(?:dist-esm/src|dist/esm)/generated/src/(.+\.js)", member.name)
            content = archive.extractfile(member) if place else None
            if place and content:
                files[place[1]] = content.read().decode()
    if "models/mappers.js" not in files:
        raise LookupError(f"{version} has no models/mappers.js")
    parameters = files["models/parameters.js"]
    default = re.search(
        r'defaultValue: "([\d-]+(?:-preview)?)",\s*isConstant: true,\s*serializedName: "api-version"', parameters
    )
    client = re.search(r'apiVersion = options\.apiVersion \|\| "([^"]+)"', "\n".join(files.values()))
    chosen = default or client
    if chosen is None:
        raise LookupError(f"{version} says no api-version")
    release = Release(f"javascript {version}", chosen[1])
    for name, value in re.findall(r'Known(\w+)\["[^"]+"\] = "([^"]*)"', files["models/index.js"]):
        release.enums[name].add(value)
    release.models = _mapped(files["models/mappers.js"])
    for model in release.models.values():
        for name, about in model.items():
            # The mappers take enums for text; a property that is named as one holds its values.
            named = name[:1].upper() + name[1:]
            if about["type"] == "str" and named in release.enums:
                about["type"] = named
    bodies = dict(
        re.findall(r"export const (\w+) = \{\s*parameterPath: [^}]*?mapper: (\w+?)(?:Mapper)?,?\s*\}", parameters)
    )
    for text in files.values():
        for path, method, responses, body in _SPECIFICATION.findall(text):
            if path == "{nextLink}":
                continue
            statuses = [int(status) for status in re.findall(r"\b(\d{3}): \{", responses)]
            release.operations[f"{method} {path}"] = (_public(bodies[body]) if body else None, statuses)
    return release


def _mapped(mappers: str) -> dict[str, Facts]:
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "mappers.mjs"
        module.write_text(mappers, "utf-8")
        script = f"import * as all from {json.dumps(module.as_uri())}; console.log(JSON.stringify(all))"
        text = _run(["node", "--input-type=module", "-e", script])
    read: dict[str, Any] = json.loads(text)
    models = {_public(name): _mapped_properties(mapper["type"]) for name, mapper in read.items() if "type" in mapper}
    for name, subtype in read.get("discriminators", {}).items():
        base = models[_public(name.partition(".")[0])]
        for property_name, about in _mapped_properties(subtype["type"]).items():
            base.setdefault(property_name, about)
    return models


def _mapped_properties(kind: dict[str, Any]) -> Facts:
    return {
        about["serializedName"]: {
            "type": _mapped_type(about["type"]),
            # Of objects the generated JavaScript does not say whether they are required: Python's word stands.
            "required": None if about["type"]["name"] == "Composite" else bool(about.get("required", False)),
        }
        for about in kind.get("modelProperties", {}).values()
    }


def _mapped_type(kind: dict[str, Any]) -> str:
    if kind["name"] == "Sequence":
        return f"[{_mapped_type(kind['element']['type'])}]"
    if kind["name"] == "Dictionary":
        return f"{{{_mapped_type(kind['value']['type'])}}}"
    plain = {"String": "str", "Boolean": "bool", "Number": "int"}
    return _public(kind["className"]) if "className" in kind else plain.get(kind["name"], str(kind["name"]))


def _public(name: str) -> str:
    """A model's name without the mark of those that the hand-written layer wraps."""
    return name.removesuffix("Internal")


# All together


def joined(releases: list[Release]) -> dict[str, Any]:
    """What the releases can send: each fact with the releases that it is of, unless it is of all that could have it."""
    operations: dict[str, Any] = {}
    reached: set[str] = set()
    for release in releases:
        for name, (body, statuses) in release.operations.items():
            entry = operations.setdefault(name, {"bodies": set(), "success": {}, "releases": []})
            entry["releases"].append(release.name)
            entry["bodies"] |= {body} - {None}
            entry["success"].setdefault(json.dumps(statuses), []).append(release.name)
            reached |= _reached(release, body)
    every = [release.name for release in releases]
    for entry in operations.values():
        entry["bodies"] = sorted(entry["bodies"])
        if entry["releases"] == every:
            del entry["releases"]
        if len(entry["success"]) == 1:
            entry["success"] = json.loads(next(iter(entry["success"])))
    models = {name: _one_model(name, releases) for name in sorted(reached)}
    used = {about["type"].strip("[]{}") for model in models.values() for abouts in model.values() for about in abouts}
    enums = {
        name: _values(name, releases)
        for name in sorted({name for one in releases for name in one.enums} & (used | _SENT_BY_HAND))
    }
    return {
        "about": "Made by emulator/tools/released_sdks.py; a fact without releases is of all that have its model.",
        "releases": {release.name: [*_offered(release), release.api_version] for release in releases},
        "operations": dict(sorted(operations.items())),
        "models": models,
        "enums": enums,
    }


#: Enums that the hand-written layer of the Python SDK puts into fields which the generated one takes for text.
_SENT_BY_HAND = {"CommunicationCloudEnvironment"}


def _offered(release: Release) -> list[str]:
    """The api-versions that a caller can choose beside the default, which stands last."""
    return sorted(release.enums.get("ApiVersion", set()) - {release.api_version})


def _reached(release: Release, body: str | None) -> set[str]:
    """The models that a body can hold."""
    found: set[str] = set()
    wanted = [body] if body else []
    while wanted:
        name = wanted.pop()
        if name in release.models and name not in found:
            found.add(name)
            wanted += [about["type"].strip("[]{}") for about in release.models[name].values()]
    return found


def _one_model(name: str, releases: list[Release]) -> dict[str, list[dict[str, Any]]]:
    having = [release for release in releases if name in release.models]
    found: dict[str, list[dict[str, Any]]] = {}
    for release in having:
        for property_name, about in release.models[name].items():
            entries = found.setdefault(property_name, [])
            same = next((entry for entry in entries if _same(about, entry)), None)
            if same is None:
                same = {**about, "releases": []}
                entries.append(same)
            same["releases"].append(release.name)
    for entries in found.values():
        for entry in entries:
            if len(entry["releases"]) == len(having):
                del entry["releases"]
    return dict(sorted(found.items()))


def _same(about: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether they say the same of a property: JavaScript knows no enums, and not whether objects are required."""
    types = {about["type"].strip("[]{}"), entry["type"].strip("[]{}")}
    required = about["required"] is None or about["required"] == entry["required"]
    return required and (len(types) == 1 or "str" in types)


def _values(name: str, releases: list[Release]) -> dict[str, list[str]]:
    having = [release for release in releases if name in release.enums]
    found: dict[str, list[str]] = {}
    for release in having:
        for value in sorted(release.enums[name]):
            found.setdefault(value, []).append(release.name)
    return {value: [] if len(names) == len(having) else names for value, names in sorted(found.items())}


def versions(listed: Mapping[str, Any] | list[str]) -> list[str]:
    """Those from 1.0 on, the oldest first."""
    return sorted((one for one in listed if _order(one)[0] >= _FIRST_VERSION), key=_order)


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    assert numbers is not None, version
    rest = version[numbers.end() :]
    return tuple(int(number) for number in numbers.groups()), not rest, rest


def download() -> Iterator[Release]:
    """Every release, from the indexes that pip and npm are set up for."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    listed = _run([*pip, "index", "versions", "--pre", PYTHON])
    available = re.search(r"Available versions: (.+)", listed)
    assert available is not None, listed
    with tempfile.TemporaryDirectory() as folder:
        for version in versions(available[1].split(", ")):
            _run(
                [
                    *pip,
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    f"{PYTHON}=={version}",
                    "--dest",
                    folder,
                ]
            )
            [wheel] = Path(folder).glob(f"*-{version}-*.whl")
            yield read_python(wheel.read_bytes(), version)
        for version in versions(json.loads(_run(["npm", "view", "--json", JAVASCRIPT, "versions"]))):
            [packed] = json.loads(
                _run(["npm", "pack", "--json", f"{JAVASCRIPT}@{version}", "--pack-destination", folder])
            )
            yield read_javascript((Path(folder) / packed["filename"]).read_bytes(), version)


def _run(command: list[str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603


def written(value: Any, depth: int = 3) -> str:
    """JSON with one line for each fact, so that a new release shows as few changed lines."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value)
    space = " " * (4 - depth)
    lines = (f"{space}{json.dumps(name)}: {written(inner, depth - 1)}" for name, inner in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{space[1:]}}}"


def main(arguments: list[str]) -> int:
    target = Path(arguments[0]) if arguments else TARGET
    target.write_text(written(joined(list(download()))) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
