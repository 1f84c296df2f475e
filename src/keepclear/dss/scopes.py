"""Which scopes open which operation: alternatives, each a set that must be held whole."""

from __future__ import annotations

__all__ = ["CONFORMANCE_MONITORING", "SCOPES", "Alternatives", "allowed"]

Alternatives = tuple[frozenset[str], ...]

STRATEGIC_COORDINATION = "utm.strategic_coordination"
CONFORMANCE_MONITORING = "utm.conformance_monitoring_sa"
CONSTRAINT_PROCESSING = "utm.constraint_processing"
CONSTRAINT_MANAGEMENT = "utm.constraint_management"
AVAILABILITY_ARBITRATION = "utm.availability_arbitration"
DISPLAY_PROVIDER = "rid.display_provider"
SERVICE_PROVIDER = "rid.service_provider"
READ_V19 = "dss.read.identification_service_areas"
WRITE_V19 = "dss.write.identification_service_areas"
POOL_READ = "interuss.pool_status.read"
HEARTBEAT_WRITE = "interuss.pool_status.heartbeat.write"
VERSIONS_READ = "interuss.versioning.read_system_versions"


def _any(*scopes: str) -> Alternatives:
    return tuple(frozenset((scope,)) for scope in scopes)


_INTENT_READ = _any(STRATEGIC_COORDINATION, CONFORMANCE_MONITORING)
_INTENT_WRITE = (
    frozenset((STRATEGIC_COORDINATION,)),
    frozenset((STRATEGIC_COORDINATION, CONSTRAINT_PROCESSING)),
    frozenset((CONFORMANCE_MONITORING,)),
)
_CONSTRAINT_READ = _any(CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING)
_SUBSCRIBE = _any(CONSTRAINT_PROCESSING, STRATEGIC_COORDINATION)

SCOPES: dict[str, Alternatives] = {
    "query_intents": _INTENT_READ,
    "get_intent": _INTENT_READ,
    "put_intent": _INTENT_WRITE,
    "delete_intent": _INTENT_READ,
    "query_constraints": _CONSTRAINT_READ,
    "get_constraint": _CONSTRAINT_READ,
    "put_constraint": _any(CONSTRAINT_MANAGEMENT),
    "delete_constraint": _any(CONSTRAINT_MANAGEMENT),
    "query_subscriptions": _SUBSCRIBE,
    "get_subscription": _SUBSCRIBE,
    "put_subscription": _SUBSCRIBE,
    "delete_subscription": _SUBSCRIBE,
    "make_report": _any(
        STRATEGIC_COORDINATION, CONSTRAINT_PROCESSING, CONFORMANCE_MONITORING, AVAILABILITY_ARBITRATION,
        CONSTRAINT_MANAGEMENT,
    ),
    "put_availability": _any(AVAILABILITY_ARBITRATION),
    "get_availability": _any(AVAILABILITY_ARBITRATION, STRATEGIC_COORDINATION, CONFORMANCE_MONITORING),
    "v22a.search_service_areas": _any(DISPLAY_PROVIDER),
    "v22a.get_service_area": _any(DISPLAY_PROVIDER, SERVICE_PROVIDER),
    "v22a.put_service_area": _any(SERVICE_PROVIDER),
    "v22a.delete_service_area": _any(SERVICE_PROVIDER),
    "v22a.search_subscriptions": _any(DISPLAY_PROVIDER),
    "v22a.get_subscription": _any(DISPLAY_PROVIDER, SERVICE_PROVIDER),
    "v22a.put_subscription": _any(DISPLAY_PROVIDER),
    "v22a.delete_subscription": _any(DISPLAY_PROVIDER),
    "v19.search_service_areas": _any(READ_V19),
    "v19.get_service_area": _any(READ_V19),
    "v19.put_service_area": _any(WRITE_V19),
    "v19.delete_service_area": _any(WRITE_V19),
    "v19.search_subscriptions": _any(READ_V19),
    "v19.get_subscription": _any(READ_V19, WRITE_V19),
    "v19.put_subscription": _any(READ_V19),
    "v19.delete_subscription": _any(READ_V19),
    "validate_oauth": _any(READ_V19, WRITE_V19),
    "get_pool": _any(POOL_READ),
    "get_instances": _any(POOL_READ),
    "put_heartbeat": _any(HEARTBEAT_WRITE),
    "get_options": _any(POOL_READ),
    "get_system_version": _any(VERSIONS_READ),
}  # fmt: skip


def allowed(operation: str, scopes: frozenset[str]) -> bool:
    """Do the scopes open the operation? (rule 2: any alternative, held whole)"""
    return any(needed <= scopes for needed in SCOPES[operation])
