"""The OpenAPI document of the node's HTTP interface, made from the wire's own types, so that it cannot lag behind."""

from __future__ import annotations

from typing import Any

import msgspec

from keepclear.channel.protocol import wire

__all__ = ["openapi"]

_OPERATIONS: tuple[tuple[str, type, type, str], ...] = (
    ("check", wire.CheckRequest, wire.CheckReply, "Are you there? What do you hold? Signed, with both clocks."),
    ("push", wire.Push, wire.PushAnswer, "Entries of a log, by whoever holds them; the answer acknowledges them."),
    ("pull", wire.Pull, wire.Push, "Entries of a log from an index on."),
    ("roots", wire.RootsRequest, wire.RootsReply, "Roots of a log at some sizes: where do two branches part?"),
    ("fork-proofs", wire.ForkRequest, wire.ForkProofs, "The proofs kept that a party told two histories."),
    ("fork-proofs/add", wire.ForkProofs, wire.ForkProofs, "Proofs brought; answered by those kept."),
)
_REFUSALS = {
    "400": "not such a request in its one form; the text says where",
    "403": "the certificate is of no other party to the charter",
    "413": "larger than the stated limit",
}


def openapi(version: str) -> dict[str, Any]:
    """OpenAPI 3.1. The security scheme is mutual TLS: certificates are those that the charter pins."""
    types = {kind for _, request, answer, _ in _OPERATIONS for kind in (request, answer)}
    types |= {wire.CheckStatement}
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for path, request, answer, summary in _OPERATIONS:
        paths[f"/channel/v1/{path}"] = {
            "post": {
                "operationId": path.replace("/", "-"),
                "summary": summary,
                "requestBody": {"required": True, "content": _json(request)},
                "responses": {"200": {"description": "The answer", "content": _json(answer)}, **_refusals()},
            }
        }
    log = {"name": "log", "in": "path", "required": True, "schema": {"type": "string"}, "description": "A party's id"}
    tile = {"name": "path", "in": "path", "required": True, "schema": {"type": "string"}}
    paths["/channel/v1/logs/{log}/checkpoint"] = _get("checkpoint", "The newest head held of a log", "text/plain", log)
    paths["/channel/v1/logs/{log}/tile/{path}"] = _get(
        "tile", "Tiles of hashes and bundles of entries (c2sp.org/tlog-tiles)", "application/octet-stream", log, tile
    )
    paths["/channel/v1/openapi.json"] = _get("openapi", "This document", "application/json")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Keepclear channel, node to node",
            "version": version,
            "description": "Bodies are canonical JSON (RFC 8785); bytes are base64. Evidence rests on the signatures "
            "inside, never on who brought them.",
        },
        "security": [{"mutualTLS": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"mutualTLS": {"type": "mutualTLS"}}},
    }


def _json(kind: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}


def _refusals(*codes: str) -> dict[str, Any]:
    return {code: {"description": _REFUSALS[code], "content": {"text/plain": {}}} for code in codes or _REFUSALS}


def _get(name: str, summary: str, media_type: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    responses = {"200": {"description": summary, "content": {media_type: {}}}, **_refusals("403")}
    if parameters:
        responses["404"] = {"description": "the log does not reach so far", "content": {"text/plain": {}}}
    return {"get": {"operationId": name, "summary": summary, "parameters": list(parameters), "responses": responses}}
