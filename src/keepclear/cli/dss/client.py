"""``keepclear dss query|constraints|uss``: what a USS asks a DSS, what it takes from peers and answers them."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.dss.options import (
    area_option,
    area_volume,
    connected,
    dss_options,
    every_option,
    say_warnings,
    store_option,
)
from keepclear.cli.options import output_options
from keepclear.errors import KeepclearError, UsageError

if TYPE_CHECKING:
    from keepclear.edge.uss.constraints import AreaSubscription, OthersConstraints

__all__ = ["constraints", "query", "uss"]

HEAR_EVERY_S = 0.5
"""How often the store is looked into for notices of peers."""
SUBSCRIBED_HOURS = 23.0
"""A DSS lets a subscription last a day."""


@click.command()
@dss_options
@area_option
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

    with connected(**given) as (client, _):
        volume = area_volume(area, hours)
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
@area_option
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True,
              help="From now so far ahead.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="GeoJSON, for --zones of watch and scan.")
@click.option("--follow", is_flag=True, help="Go on, and write it again at every change.")
@every_option(10.0)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="With --follow: the store of our «keepclear dss uss», to look as soon as a peer tells of a change.",
)
@click.option("--base-url", metavar="URL", help="With --store: where peers reach it; subscribes to the area.")
@click.pass_context
def constraints(
    ctx: click.Context, /, area: str, hours: float, out: Path, follow: bool, every: float, store: Path | None,
    base_url: str | None, **given: Any,
) -> None:  # fmt: skip
    """Write others' constraints as a zone file that `watch` reads again when it changes.

    A constraint that its manager took back stays in the file as withdrawn. One whose USS does not answer is kept as it
    was last known, and said; so is the file as long as the DSS does not answer. With --store and --base-url peers tell
    of changes, which are looked at within a second. Exit code 1: something could not be read.

    \b
    Example:
      keepclear dss constraints --dss https://dss.example.org --token-file tokens --area 46.2,6.1,20 \\
        --out others.geojson --follow
    """
    from keepclear.edge.dss.client import check_base_url
    from keepclear.edge.uss.constraints import AreaSubscription, OthersConstraints
    from keepclear.edge.uss.store import UssStore

    if (store is None) != (base_url is None) or (store is not None and not follow):
        raise UsageError("--store and --base-url belong together, and to --follow")
    with contextlib.ExitStack() as stack:
        client, manager = stack.enter_context(connected(**given))
        kept = None if store is None else stack.enter_context(UssStore(store))
        others = OthersConstraints(client, manager, kept)
        subscription: AreaSubscription | None = None
        if base_url is not None:
            base_url = check_base_url(base_url, given["development_key"] is not None)
            subscription = stack.enter_context(AreaSubscription(client, manager, base_url, area))
        written = b""
        while True:
            written, troubles = _write_others(others, subscription, area, hours, out, written, follow)
            say_warnings(troubles)
            if not follow:
                ctx.exit(1 if troubles else 0)
            _wait(others, every)


def _write_others(
    others: OthersConstraints, subscription: AreaSubscription | None, area: str, hours: float, out: Path,
    written: bytes, follow: bool,
) -> tuple[bytes, list[str]]:  # fmt: skip
    """What is in the file now, and what could not be brought up to date."""
    from keepclear.edge.whole_file import write_bytes
    from keepclear.zones import geojson

    try:
        if subscription is not None:
            subscription.keep(area_volume(area, SUBSCRIBED_HOURS), SUBSCRIBED_HOURS * 3600.0)
        troubles = others.look(area_volume(area, hours))
        data = geojson.write(others.zones()).data
        if data != written:
            write_bytes(out, data)
        return data, troubles
    except KeepclearError as error:
        if not follow:
            raise
        return written, [f"{out} stays as it is: {error}"]


def _wait(others: OthersConstraints, every_s: float) -> None:
    """Until it is time to look again, or a peer tells of something."""
    until_s = time.monotonic() + every_s
    while not others.hear():
        left_s = until_s - time.monotonic()
        if left_s <= 0.0:
            return
        time.sleep(min(left_s, HEAR_EVERY_S))


@click.command()
@dss_options
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8083, show_default=True, help="0: any free one.")
@click.option("--jwt-public-key", "key_files", multiple=True, type=click.Path(path_type=Path),
              help="The issuer's public key or certificate in PEM; repeatable.")  # fmt: skip
@click.option("--jwks", metavar="URL", help="The issuer's key set, instead of files.")
@click.option("--jwt-audience", "audiences", multiple=True, required=True, metavar="HOST",
              help="Host name that tokens for us carry as aud; repeatable.")  # fmt: skip
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="Serve HTTPS with this chain in PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="The certificate's private key in PEM.")
@click.option("--signatures", type=click.Choice(["off", "optional", "required"]), default="off", show_default=True,
              help="Message signatures (RFC 9421) of peers: checked where there are any, or demanded.")  # fmt: skip
@click.option("--signature-keys", type=click.Path(path_type=Path),
              help="Folder of SUBJECT/KEYID.pem: who signs with which keys.")  # fmt: skip
def uss(store: Path, **given: Any) -> None:
    """Answer peers: details of what we publish, and take their notices; tell ours that still wait."""
    from keepclear.server.uss_serve import serve_uss

    with connected(**given) as (client, manager):
        serve_uss(client, manager, store, given, say=lambda line: click.echo(line, err=True))


def _time(time_given: Any) -> str:
    return str(time_given.get("value")) if isinstance(time_given, dict) else str(time_given)
