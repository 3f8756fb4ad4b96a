"""`python -m tools.client_records`: write the client's typed dictionaries, `brinell/records.py`, from `/openapi.json`.

The client imports nothing of the service, so what the service answers is written down for it, and here by a machine:
one TypedDict for each schema of a good answer, one Literal for each closed set of words. A contract test compares.
"""

import re
import subprocess
import sys
import textwrap
from keyword import iskeyword
from pathlib import Path
from typing import Any, cast

from jobs.installation.settings import Settings
from jobs.store.store import Store
from models.library import Library
from service.app import create_app

FILE = Path(__file__).parents[1] / "brinell" / "records.py"
HEAD = '''"""What the service answers, as typed dictionaries: the JSON of the API, so that nothing is lost.

Written by `make records` from the OpenAPI document: change the service's own records, then run it again.
A field that is NotRequired is absent from what an older service wrote.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict
'''
SCHEMAS = "#/components/schemas/"
WORDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
WIDTH = 120

Json = dict[str, Any]


def main() -> None:
    """Writes the file anew."""
    FILE.write_text(client_records(openapi_document()), encoding="utf-8")


def openapi_document() -> Json:
    """Returns the document of an application that has no parts: it needs none to describe itself."""
    nothing = cast(Any, None)
    app = create_app(cast(Settings, nothing), cast(Store, nothing), cast(Library, nothing))
    return app.openapi()


def client_records(document: Json) -> str:
    """Returns the text of the module. Raises KeyError for a kind of schema that it has no word for."""
    schemas = document["components"]["schemas"]
    answered = {name: schemas[name] for name in sorted(_answered(document))}
    closed = [f"{name} = {_type_of(schema)}" for name, schema in answered.items() if "enum" in schema]
    records = [_record(name, schema) for name, schema in answered.items() if "enum" not in schema]
    return _formatted("\n\n\n".join([f"{HEAD}\n" + "\n".join(closed), *records]))


def _answered(document: Json) -> set[str]:
    """The names of the schemas that good answers consist of, and those that these consist of."""
    calls = [call for path in document["paths"].values() for call in path.values()]
    good = [answer for call in calls for status, answer in call["responses"].items() if int(status) < 400]
    found, ahead = set[str](), _references(good)
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= _references(document["components"]["schemas"][name]) - found
    return found


def _references(part: Any) -> set[str]:
    return set(re.findall(rf"'{SCHEMAS}(\w+)'", str(part)))


def _record(name: str, schema: Json) -> str:
    required = schema.get("required", [])
    types = {field: _type_of(said) for field, said in schema["properties"].items()}
    types = {field: said if field in required else f"NotRequired[{said}]" for field, said in types.items()}
    if any(map(iskeyword, types)):  # such as `as`, which no class can have for a field
        keyed = ", ".join(f"{_quoted(field)}: {said}" for field, said in types.items())
        return f"{name} = TypedDict({_quoted(name)}, {{{keyed}}})"
    fields = [f"{field}: {said}" for field, said in types.items()]
    told = _docstring(schema.get("description", ""))
    return f"class {name}(TypedDict):\n" + textwrap.indent("\n".join([*told, *fields]), "    ")


def _docstring(text: str) -> list[str]:
    """Its first paragraph, wrapped as a docstring; nothing where nothing is said."""
    first = " ".join(text.partition("\n\n")[0].split())
    if not first:
        return []
    lines = textwrap.wrap(f'"""{first}"""', WIDTH - 4)
    return [*lines, ""] if len(lines) == 1 else [*lines[:-1], lines[-1].removesuffix('"""'), '"""', ""]


def _type_of(schema: Json) -> str:
    """The Python type of the JSON that a schema describes."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(SCHEMAS)
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(map(_quoted, schema.get('enum') or [schema['const']]))}]"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(map(_type_of, several)))
    if schema.get("type") == "array":
        return f"list[{_items_of(schema)}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {_type_of(values) if isinstance(values, dict) else 'Any'}]"
    return WORDS[schema["type"]] if "type" in schema else "Any"


def _items_of(schema: Json) -> str:
    kinds = [schema["items"]] if "items" in schema else schema.get("prefixItems", [{}])
    return " | ".join(dict.fromkeys(map(_type_of, kinds)))


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FILE), "-"]
    return subprocess.run(ruff, input=text, capture_output=True, check=True, encoding="utf-8").stdout


def _quoted(word: object) -> str:
    return f'"{word}"' if isinstance(word, str) else repr(word)


if __name__ == "__main__":
    main()
