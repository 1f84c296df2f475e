"""``keepclear dss query|publish|withdraw|constraints|uss``: what a USS does at a DSS, from the terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepclear.cli.options import altitude_assumptions, altitude_options, output_options
from keepclear.errors import KeepclearError, UsageError

if TYPE_CHECKING:
    from keepclear.edge.dss_client import DssClient
    from keepclear.zones.model import Zone

__all__ = ["constraints", "publish", "query", "uss", "withdraw"]

F = TypeVar("F", bound=Callable[..., Any])
EVERY_MIN_S = 1.0


def dss_options(function: F) -> F:
    for option in reversed((
        click.option("--dss", "url", required=True, envvar="KEEPCLEAR_DSS_URL", show_envvar=True, metavar="URL",
                     help="The DSS."),
        click.option("--token-file", type=click.Path(path_type=Path),
                     help="Bearer tokens, one a line, each for the host that its aud names."),
        click.option("--token-url", metavar="URL", help="Get tokens here, by client credentials."),
        click.option("--client-id", metavar="NAME", help="Who we are to --token-url, and at the DSS (sub)."),
        click.option("--client-secret-file", type=click.Path(path_type=Path), help="The secret for --token-url."),
        click.option("--development-key", type=click.Path(path_type=Path),
                     help="Make tokens with this key, as «keepclear dss token» does; takes http:// too."),
        click.option("--sub", "subject", metavar="NAME", help="Who we are, with --development-key."),
    )):  # fmt: skip
        function = option(function)
    return function


_area = click.option("--area", required=True, metavar="LAT,LON,RADIUS_KM|LAT,LON,…", help="A circle, or a polygon.")
_store = click.option("--store", required=True, type=click.Path(path_type=Path), help="What we publish (SQLite).")


@contextlib.contextmanager
def _connected(
    url: str, token_file: Path | None, token_url: str | None, client_id: str | None,
    client_secret_file: Path | None, development_key: Path | None, subject: str | None, **_: Any,
) -> Iterator[tuple[DssClient, str]]:  # fmt: skip
    """The client and who we are."""
    from keepclear.edge.dss_client import DssClient
    from keepclear.edge.dss_tokens import ClientCredentials, GivenTokens, MintedTokens, Tokens

    if sum(way is not None for way in (token_file, token_url, development_key)) != 1:
        raise UsageError("say where tokens come from: --token-file, --token-url or --development-key")
    tokens: Tokens
    if development_key is not None:
        if not subject:
            raise UsageError("--development-key needs --sub NAME")
        from keepclear.server.dss import development

        key = development.development_key(development_key)
        tokens = MintedTokens(
            lambda host, scopes: development.development_token(key, subject, scopes, host, int(time.time()), 600)
        )
        manager = subject
    elif token_file is not None:
        given = GivenTokens(path=token_file)
        tokens, manager = given, given.subject()
    else:
        if not client_id or client_secret_file is None:
            raise UsageError("--token-url needs --client-id and --client-secret-file")
        secret = client_secret_file.read_text().strip()
        tokens, manager = ClientCredentials(str(token_url), client_id, secret), client_id
    with DssClient(url, tokens, allow_http=development_key is not None) as client:
        yield client, manager


@click.command()
@dss_options
@_area
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True,
              help="From now so far ahead.")  # fmt: skip
@output_options
@click.pass_context
def query(ctx: click.Context, /, area: str, hours: float, format: str | None, out: Path | None, **given: Any) -> None:
    """List the operational intents and constraints that a DSS knows in an area.

    Exit code 1: there are some.

    \b
    Example:
      keepclear dss query --dss https://dss.example.org --token-file tokens --area 46.2,6.1,5
    """
    import pyarrow as pa

    from keepclear.cli.output import write_rows
    from keepclear.uss.entities import EntityKind

    with _connected(**given) as (client, _):
        volume = _volume(area, hours)
        found = [(kind, one) for kind in EntityKind for one in client.query(kind, volume)]
    texts = ("kind", "id", "manager", "uss_availability", "state", "from_time", "to_time", "uss_base_url")
    rows = [
        {"kind": kind.value, "id": one.id, "manager": one.manager, "uss_availability": one.uss_availability,
         "state": one.state, "version": one.version, "from_time": _time(one.time_start),
         "to_time": _time(one.time_end), "uss_base_url": one.uss_base_url}
        for kind, one in found
    ]  # fmt: skip
    schema = pa.schema([*((name, pa.string()) for name in texts[:5]), ("version", pa.int64()),
                        *((name, pa.string()) for name in texts[5:])])  # fmt: skip
    write_rows(pa.Table.from_pylist(rows, schema), format, out)
    ctx.exit(1 if rows else 0)


@click.command()
@dss_options
@_store
@click.option("--base-url", required=True, metavar="URL", help="Where peers reach our «keepclear dss uss».")
@click.option("--zones", "-z", "zone_files", multiple=True, type=click.Path(path_type=Path),
              help="Zones of ours, to become constraints.")  # fmt: skip
@click.option("--volumes", "volume_files", multiple=True, type=click.Path(path_type=Path),
              help="Declared volumes, to become operational intents.")  # fmt: skip
@click.option("--hours", type=click.FloatRange(0, 1320, min_open=True), default=24.0, show_default=True,
              help="How far ahead zones are published.")  # fmt: skip
@altitude_options
@output_options
@click.pass_context
def publish(
    ctx: click.Context, /, store: Path, base_url: str, zone_files: tuple[Path, ...], volume_files: tuple[Path, ...],
    hours: float, qnh: float | None, ground_elevation: str | None, format: str | None, out: Path | None, **given: Any,
) -> None:  # fmt: skip
    """Publish zones as constraints and declared volumes as operational intents.

    The same again changes nothing; what was edited is updated; constraints of zones no longer in the files are
    withdrawn, unless something in the files could not be read. An intent that truly intersects another is refused.
    Exit code 1: something was refused.

    \b
    Example:
      keepclear dss publish --dss https://dss.example.org --token-file tokens --store uss.sqlite \\
        --base-url https://uss.example.org --zones closure.geojson
    """
    from keepclear.edge.dss_client import check_base_url
    from keepclear.edge.uss_publisher import Act, Publisher
    from keepclear.edge.uss_store import UssStore
    from keepclear.node import read_volumes, read_zones
    from keepclear.uss.declared_intents import plan_intents
    from keepclear.uss.entities import EntityKind
    from keepclear.uss.zone_constraints import plan_constraints

    if not zone_files and not volume_files:
        raise UsageError("name what is to be published: --zones FILE or --volumes FILE")
    assumptions, now_s = altitude_assumptions(qnh, ground_elevation), time.time()
    with _connected(**given) as (client, manager), UssStore(store) as kept:
        base = check_base_url(base_url, given["development_key"] is not None)
        publisher = Publisher(client, kept, base, manager)
        publisher.forget_ended()
        done, troubled, planned = [], False, set()
        if zone_files:
            reading = read_zones(*zone_files)
            plan = plan_constraints(reading.zones, manager, now_s, hours * 3600.0, assumptions)
            troubled = _said((*reading.problems, *plan.refused), plan.losses)
            planned = {one.id for one in plan.planned}
            done += [publisher.publish(one) for one in plan.planned]
            if not troubled:
                gone = [one for one in kept.all(EntityKind.CONSTRAINT) if one.id not in planned]
                done += [publisher.withdraw(one) for one in gone]
        if volume_files:
            load = read_volumes(*volume_files)
            intents = plan_intents(load.volumes, load.declaration, load.source, manager, now_s, assumptions)
            troubled |= _said((*load.problems, *intents.refused), intents.losses)
            done += [publisher.publish(one) for one in intents.planned]
        publisher.deliver()
        waiting = kept.waiting()
    _write_done(done, format, out)
    if waiting:
        click.echo(f"keepclear: {waiting} notices wait for peers; «keepclear dss uss» goes on trying", err=True)
    ctx.exit(1 if troubled or any(one.act is Act.REFUSED for one in done) else 0)


@click.command()
@dss_options
@_store
@click.argument("names", nargs=-1, metavar="[ID|LABEL]…")
@click.option("--all", "everything", is_flag=True, help="Whatever the store holds.")
@output_options
@click.pass_context
def withdraw(
    ctx: click.Context, /, store: Path, names: tuple[str, ...], everything: bool, format: str | None, out: Path | None,
    **given: Any,
) -> None:  # fmt: skip
    """Withdraw what was published: by id, or by the id of its zone or declaration."""
    from keepclear.edge.uss_publisher import Act, Publisher
    from keepclear.edge.uss_store import UssStore

    if bool(names) == everything:
        raise UsageError("name what is to be withdrawn, or say --all")
    with _connected(**given) as (client, manager), UssStore(store, create=False) as kept:
        chosen = [one for one in kept.all() if everything or one.id in names or one.label in names]
        unknown = set(names) - {one.id for one in chosen} - {one.label for one in chosen}
        if unknown:
            raise UsageError(f"nothing called {', '.join(sorted(unknown))} is published")
        publisher = Publisher(client, kept, "", manager)
        done = [publisher.withdraw(one) for one in chosen]
        publisher.deliver()
    _write_done(done, format, out)
    ctx.exit(1 if any(one.act is Act.REFUSED for one in done) else 0)


@click.command()
@dss_options
@_area
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True,
              help="From now so far ahead.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="GeoJSON, for --zones of watch and scan.")
@click.option("--follow", is_flag=True, help="Go on, and write it again at every change.")
@click.option("--every", type=click.FloatRange(min=EVERY_MIN_S), default=10.0, show_default=True, metavar="SECONDS",
              help="With --follow: how often to look.")  # fmt: skip
@click.pass_context
def constraints(
    ctx: click.Context, /, area: str, hours: float, out: Path, follow: bool, every: float, **given: Any
) -> None:
    """Write others' constraints as a zone file that `watch` reads again when it changes.

    A constraint that its manager took back stays in the file as withdrawn. One whose USS does not answer is kept as it
    was last known, and said; so is the file as long as the DSS does not answer. Exit code 1: something could not be
    read.

    \b
    Example:
      keepclear dss constraints --dss https://dss.example.org --token-file tokens --area 46.2,6.1,20 \\
        --out others.geojson --follow
    """
    from keepclear.edge.whole_file import write_bytes
    from keepclear.zones import geojson

    known: dict[str, list[Zone]] = {}
    written = b""
    with _connected(**given) as (client, manager):
        while True:
            try:
                troubles = _take(client, manager, _volume(area, hours), known)
                data = geojson.write([zone for name in sorted(known) for zone in known[name]]).data
                if data != written:
                    write_bytes(out, data)
                    written = data
            except KeepclearError as error:
                if not follow:
                    raise
                troubles = [f"{out} stays as it is: {error}"]
            for trouble in troubles:
                click.echo(f"keepclear: warning: {' '.join(trouble.split())}", err=True)
            if not follow:
                ctx.exit(1 if troubles else 0)
            time.sleep(every)


def _take(client: DssClient, manager: str, volume: dict[str, Any], known: dict[str, list[Zone]]) -> list[str]:
    """Brings ``known`` up to date; returns what could not be."""
    from keepclear.uss.constraint_zones import withdrawn, zones_of
    from keepclear.uss.entities import EntityKind
    from keepclear.zones.model import ZoneStatus

    references = [one for one in client.query(EntityKind.CONSTRAINT, volume) if one.manager != manager]
    now_s, troubles = time.time(), []
    for reference in references:
        zones = known.get(reference.id)
        if zones and zones[0].version == str(reference.version) and zones[0].status is not ZoneStatus.WITHDRAWN:
            continue
        try:
            known[reference.id], warnings = zones_of(client.details(EntityKind.CONSTRAINT, reference), client.url)
            troubles += warnings
        except KeepclearError as error:
            troubles.append(f"constraint {reference.id} of {reference.manager} is not known as it is now: {error}")
    for name in known.keys() - {one.id for one in references}:
        if max(period.to_s for zone in known[name] for period in zone.applicability) < now_s:
            del known[name]
        elif known[name][0].status is not ZoneStatus.WITHDRAWN:
            known[name] = withdrawn(known[name], now_s)
    return troubles


@click.command()
@dss_options
@_store
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8083, show_default=True, help="0: any free one.")
@click.option("--jwt-public-key", "key_files", multiple=True, type=click.Path(path_type=Path),
              help="The issuer's public key or certificate in PEM; repeatable.")  # fmt: skip
@click.option("--jwks", metavar="URL", help="The issuer's key set, instead of files.")
@click.option("--jwt-audience", "audiences", multiple=True, required=True, metavar="HOST",
              help="Host name that tokens for us carry as aud; repeatable.")  # fmt: skip
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="Serve HTTPS with this chain in PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="The certificate's private key in PEM.")
def uss(store: Path, **given: Any) -> None:
    """Answer peers: details of what we publish, and take their notices; tell ours that still wait."""
    from keepclear.server.uss_serve import serve_uss

    with _connected(**given) as (client, manager):
        serve_uss(client, manager, store, given, on_ready=lambda url: click.echo(f"USS at {url}", err=True))


def _said(problems: Any, losses: Any) -> bool:
    for loss in losses:
        click.echo(f"keepclear: {loss.zone_id}, {loss.field}: {loss.detail}", err=True)
    for problem in problems:
        click.echo(f"keepclear: {problem.severity.lower()}: {problem}", err=True)
    return any(problem.severity == "ERROR" for problem in problems)


def _write_done(done: list[Any], format: str | None, out: Path | None) -> None:
    import pyarrow as pa

    from keepclear.cli.output import write_rows

    rows = [{"act": d.act.value, "kind": d.kind.value, "label": d.label, "id": d.id, "said": d.said} for d in done]
    schema = pa.schema([(name, pa.string()) for name in ("act", "kind", "label", "id", "said")])
    write_rows(pa.Table.from_pylist(rows, schema), format, out)


def _volume(area: str, hours: float) -> dict[str, Any]:
    from keepclear.space.geometry import Circle, EdgeType
    from keepclear.uss.volume4d import volume4d
    from keepclear.zones.outline_checks import check_circle, check_polygon

    try:
        numbers = [float(part) for part in area.split(",")]
    except ValueError:
        raise UsageError(f"--area {area}: numbers are expected, LAT,LON,RADIUS_KM or LAT,LON,LAT,LON,…") from None
    now_s = time.time()
    if len(numbers) == 3:
        shape: Any = check_circle(numbers[1], numbers[0], numbers[2] * 1000.0, where="--area")
    elif len(numbers) >= 6 and len(numbers) % 2 == 0:
        ring = list(zip(numbers[1::2], numbers[::2]))
        shape = check_polygon([ring], EdgeType.GEODESIC, where="--area", closed=False, warnings=[]).exterior
    else:
        raise UsageError(f"--area {area}: three numbers are a circle, six and more, in pairs, a polygon")
    assert isinstance(shape, Circle | tuple)
    return volume4d(shape, None, None, now_s, now_s + hours * 3600.0)


def _time(time_given: Any) -> str:
    return str(time_given.get("value")) if isinstance(time_given, dict) else str(time_given)
