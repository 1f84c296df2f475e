"""Answers held against the types of the package uas-standards, which InterUSS's own tests read them with."""

from __future__ import annotations

from typing import Any

from implicitdict import ImplicitDict
from uas_standards.astm.f3411.v19 import api as v19
from uas_standards.astm.f3411.v22a import api as v22a
from uas_standards.astm.f3548.v21 import api as utm
from uas_standards.interuss.automated_testing.versioning import api as versioning
from uas_standards.interuss.dss.aux import api as auxiliary

# (operations, what stands before their paths)
INTERFACES = ((utm, ""), (v22a, "/rid/v2"), (v19, ""), (auxiliary, ""), (versioning, ""))
OF_ANOTHER_ROLE = ("/uss/", "/v1/uss/", "/rid/v2/uss/")
"""Paths that USSs serve, not a DSS."""


def operations() -> list[tuple[str, str, Any]]:
    """Method, path and operation of whatever a DSS serves by these interfaces."""
    listed = [(o.verb, base + o.path, o) for module, base in INTERFACES for o in module.OPERATIONS.values()]
    return [(verb, path, o) for verb, path, o in listed if not path.startswith(OF_ANOTHER_ROLE)]


def check(method: str, path: str, status: int, body: Any) -> bool:
    """Raises where the body is not of the type that the interface has for it. False: it has none."""
    given = path.partition("?")[0].split("/")
    for verb, template, operation in operations():
        parts = template.split("/")
        if verb == method and len(parts) == len(given) and all(p[:1] == "{" or p == g for p, g in zip(parts, given)):
            kind = operation.response_body_type.get(status)
            if kind is None:
                return False
            parsed = ImplicitDict.parse(body, kind)
            assert set(body) <= set(parsed), "a field that the type does not keep"
            return True
    return False
