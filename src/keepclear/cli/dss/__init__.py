"""``keepclear dss``: a Discovery and Synchronization Service, tokens to try it with, and its backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepclear.cli.dss.client import constraints, query, uss
from keepclear.cli.dss.publish import publish, withdraw
from keepclear.errors import UsageError

__all__ = ["command"]


@click.group(name="dss")
def command() -> None:
    """Serve a Discovery and Synchronization Service (ASTM F3548-21, F3411-22a, F3411-19), or use one.

    \b
    Example:
      keepclear dss serve --database dss.sqlite --jwt-public-key issuer.pem --jwt-audience dss.example.org
    """


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8082, show_default=True, help="0: any free one.")
@click.option(
    "--database",
    required=True,
    envvar="KEEPCLEAR_DSS_DATABASE",
    show_envvar=True,
    metavar="URL",
    help="A file (SQLite, one server), or postgresql://… (several servers).",
)
@click.option(
    "--jwt-public-key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The issuer's public key or certificate in PEM; repeatable.",
)
@click.option("--jwks", metavar="URL", help="The issuer's key set, instead of files.")
@click.option(
    "--jwt-audience",
    "audiences",
    multiple=True,
    required=True,
    metavar="HOST",
    help="Host name that tokens for this server carry as aud; repeatable.",
)
@click.option("--jwt-issuer", "issuer", metavar="NAME", help="Take tokens of this iss only.")
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="Serve HTTPS with this chain in PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="The certificate's private key in PEM.")
@click.option(
    "--signatures",
    type=click.Choice(["off", "optional", "required"]),
    default="off",
    show_default=True,
    help="Message signatures (RFC 9421) of requests: checked where there are any, or demanded.",
)
@click.option(
    "--signature-keys", type=click.Path(path_type=Path), help="Folder of SUBJECT/KEYID.pem: who signs with which keys."
)
@click.option("--strict", is_flag=True, help="Keys and notifications only where volumes truly intersect.")
@click.option(
    "--keep-ended",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="How long what has ended can still be looked up.",
)
@click.option(
    "--area-max",
    type=click.FloatRange(min=0, min_open=True),
    default=2500.0,
    show_default=True,
    metavar="KM2",
    help="Largest area of one volume or search.",
)
@click.option(
    "--rate",
    "per_client_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PER_SECOND",
    help="Requests a second that one client may make; without it there is no limit.",
)
@click.option(
    "--instance", default="keepclear", show_default=True, metavar="ID", help="This instance's id in the pool."
)
@click.option("--public-url", default="", metavar="URL", help="Where others reach this instance.")
@click.option("--pool", "pool_id", metavar="ID", help="The airspace representation that the pool shares.")
@click.option("--metrics", is_flag=True, help="Offer /metrics for Prometheus, to anybody who can reach the port.")
@click.option("--quiet", is_flag=True, help="No journal on stderr.")
@click.option(
    "--development",
    is_flag=True,
    help="Take tokens of «keepclear dss token» and http:// base URLs; on this machine only.",
)
def serve(
    host: str, port: int, database: str, keep_ended: float, area_max: float, instance: str, public_url: str,
    pool_id: str | None, quiet: bool, **given: Any,
) -> None:  # fmt: skip
    """Serve until interrupted. What was acknowledged is on the disk."""
    from keepclear import __version__
    from keepclear.dss.instants import HOUR_US
    from keepclear.server.dss.operations import Identity
    from keepclear.server.dss.serve import DssSettings, serve_dss

    settings = DssSettings(
        host=host, port=port, database=database, keep_us=int(keep_ended * HOUR_US), area_max_km2=area_max,
        identity=Identity(instance, public_url, pool_id, __version__), journal=not quiet, **given,
    )  # fmt: skip
    serve_dss(settings, on_ready=lambda url: click.echo(f"DSS at {url}", err=True))


@command.command()
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path),
    help="The development issuer's private key; made if absent, with FILE.pub beside it.",
)
@click.option("--sub", "subject", required=True, metavar="NAME", help="Who the token is for.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it allows; repeatable.")
@click.option(
    "--aud", "audience", default="localhost", show_default=True, metavar="HOST", help="The host name of the server."
)
@click.option(
    "--expires",
    type=click.IntRange(1, 3600),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="How long it is good.",
)
def token(key_file: Path, subject: str, scopes: tuple[str, ...], audience: str, expires: int) -> None:
    """Print a bearer token for trying things out.

    It names itself a development token: only a server that was started with --development takes it, and such a server
    listens on this machine alone.
    """
    import time

    from keepclear.server.dss.development import development_key, development_token

    key = development_key(key_file)
    click.echo(development_token(key, subject, scopes, audience, int(time.time()), expires))


@command.command()
@click.argument("database")
@click.argument("out", type=click.Path(path_type=Path))
def backup(database: str, out: Path) -> None:
    """Copy a SQLite database to a new file, also while it is being served. For PostgreSQL use pg_dump."""
    from keepclear.edge.dss.sqlite import back_up
    from keepclear.edge.dss.store import POSTGRES_SCHEMES, sqlite_path

    if database.startswith(POSTGRES_SCHEMES):
        raise UsageError("a PostgreSQL database is backed up with pg_dump")
    click.echo(f"{back_up(sqlite_path(database), out):,} records in {out}")


for _client_command in (query, publish, withdraw, constraints, uss):
    command.add_command(_client_command)
