"""Our own interface file, made from the operations and the types that decode and encode: it cannot fall behind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from keepclear.dss.scopes import SCOPES
from keepclear.server.dss.operations import Operation

__all__ = ["openapi"]

_REFERENCE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)(?::path)?\}")
_MEANING = {
    400: "Against the interface or a rule.",
    401: "No token, or none that is accepted.",
    403: "The token's scopes do not allow it, or it belongs to somebody else.",
    404: "There is no such entity.",
    409: "The version, OVN or key is not the current one.",
    412: "The USS is marked as Down.",
    413: "The area or the body is too large.",
    429: "Too many: a quota, a rate, or more waiting than the server takes.",
    501: "Not offered by this instance.",
    503: "The database does not answer.",
}


def openapi(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    listed = list(operations)
    types = [kind for o in listed for kind in (o.body, o.answer) if kind is not None]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schemas["Refused"] = {
        "type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"],
    }  # fmt: skip
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Keepclear DSS", "version": version or "0"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in _PARAMETER.findall(operation.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in operation.queries]
    codes = (*operation.codes, *((401, 403) if operation.scope else ()), *((503,) if operation.scope else ()))
    described: dict[str, Any] = {
        "operationId": operation.name,
        "parameters": parameters,
        "responses": {
            str(operation.ok): {"description": "Done.", **_content(operation)},
            **{
                str(code): {
                    "description": _MEANING[code],
                    "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(name="Refused")}}},
                }
                for code in sorted(set(codes))
            },
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(name=operation.body.__name__)}}},
        }
    elif operation.name == "make_report":
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    if operation.scope is not None:
        described["security"] = [{"bearer": sorted(needed)} for needed in SCOPES[operation.scope]]
    return described


def _content(operation: Operation) -> dict[str, Any]:
    if operation.name in ("healthy", "healthy_utm", "ready", "metrics"):
        return {"content": {"text/plain": {"schema": {"type": "string"}}}}
    schema = {"type": "object"} if operation.answer is None else {
        "$ref": _REFERENCE.format(name=operation.answer.__name__)
    }  # fmt: skip
    return {"content": {"application/json": {"schema": schema}}}


def _path_schema(name: str) -> dict[str, Any]:
    if name in ("entityid", "subscriptionid", "id"):
        return {"type": "string", "format": "uuid"}
    return {"type": "string", "minLength": 1}
