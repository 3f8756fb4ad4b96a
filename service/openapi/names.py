"""The names of the OpenAPI document's schemas: each is called what its title says, and nothing else has a title."""

from typing import Any

from service.openapi.declaring import REF

Json = dict[str, Any]


def named_by_titles(document: Json) -> None:
    """Calls each schema of the answers by its title: pydantic's own names hold brackets, or the paths of modules.

    Bodies of requests are left alone: they refer to schemas that are added later, whose names are titles already.
    """
    schemas = document["components"]["schemas"]
    titles = {name: schema.get("title", name) for name, schema in schemas.items()}
    references = {REF.format(model=name): REF.format(model=title) for name, title in titles.items()}
    document["components"]["schemas"] = {
        titles[name]: _replaced(schema, references) for name, schema in schemas.items()
    }
    for operation in _operations(document):
        operation["responses"] = _replaced(operation["responses"], references)


def without_field_titles(document: Json) -> None:
    """Takes away the titles of fields and parameters: pydantic makes them of the names, so they say nothing new."""
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
    for operation in _operations(document):
        for parameter in operation.get("parameters", []):
            parameter["schema"].pop("title", None)


def _operations(document: Json) -> list[Json]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def _replaced(part: Any, references: dict[str, str]) -> Any:
    """The part of a document with each string that `references` knows replaced by what it says."""
    if isinstance(part, dict):
        return {key: _replaced(value, references) for key, value in part.items()}
    if isinstance(part, list):
        return [_replaced(value, references) for value in part]
    return references.get(part, part) if isinstance(part, str) else part
