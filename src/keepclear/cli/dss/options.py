"""What the commands of a USS share: the DSS, where tokens come from, an area, a store."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.edge.dss.client import DssClient

__all__ = ["area_option", "area_volume", "connected", "dss_options", "every_option", "say_warnings", "store_option"]

F = TypeVar("F", bound=Callable[..., Any])
TOKEN_VARIABLE = "KEEPCLEAR_DSS_TOKEN"  # noqa: S105 – its name
EVERY_MIN_S = 1.0


def dss_options(function: F) -> F:
    for option in reversed((
        click.option("--dss", "url", required=True, envvar="KEEPCLEAR_DSS_URL", show_envvar=True, metavar="URL",
                     help="The DSS."),
        click.option("--token-file", type=click.Path(path_type=Path),
                     help="Bearer tokens, one a line, each for the host that its aud names. Otherwise "
                          "KEEPCLEAR_DSS_TOKEN holds them."),
        click.option("--token-url", metavar="URL", help="Get tokens here, by client credentials."),
        click.option("--client-id", metavar="NAME", help="Who we are to --token-url, and at the DSS (sub)."),
        click.option("--client-secret-file", type=click.Path(path_type=Path), help="The secret for --token-url."),
        click.option("--development-key", type=click.Path(path_type=Path),
                     help="Make tokens with this key, as «keepclear dss token» does; takes http:// too."),
        click.option("--sub", "subject", metavar="NAME", help="Who we are, with --development-key."),
        click.option("--ca-file", type=click.Path(path_type=Path),
                     help="Trust the DSS's and peers' certificates by this file in PEM, in place of the usual ones."),
        click.option("--signing-key", type=click.Path(path_type=Path),
                     help="Sign our requests with this private key in PEM (RFC 9421)."),
        click.option("--signing-key-id", metavar="NAME", help="Under which the others know that key."),
    )):  # fmt: skip
        function = option(function)
    return function


area_option = click.option(
    "--area", required=True, metavar="LAT,LON,RADIUS_KM|LAT,LON,…", help="A circle, or a polygon."
)
store_option = click.option(
    "--store", required=True, type=click.Path(path_type=Path), help="What we publish, and notices of peers (SQLite)."
)


def every_option(default_s: float) -> Callable[[F], F]:
    return click.option("--every", type=click.FloatRange(min=EVERY_MIN_S), default=default_s, show_default=True,
                        metavar="SECONDS", help="With --follow: how often to look.")  # fmt: skip


@contextlib.contextmanager
def connected(
    url: str, token_file: Path | None, token_url: str | None, client_id: str | None,
    client_secret_file: Path | None, development_key: Path | None, subject: str | None, signing_key: Path | None,
    signing_key_id: str | None, ca_file: Path | None, **_: Any,
) -> Iterator[tuple[DssClient, str]]:  # fmt: skip
    """The client and who we are."""
    from keepclear.edge.dss.client import DssClient
    from keepclear.edge.dss.signatures import MessageSigner
    from keepclear.edge.dss.tokens import ClientCredentials, GivenTokens, MintedTokens, Tokens

    ways = sum(way is not None for way in (token_file, token_url, development_key))
    given_text = os.environ.get(TOKEN_VARIABLE) if not ways else None
    if ways + (given_text is not None) != 1:
        raise UsageError(
            f"say where tokens come from: --token-file, --token-url, --development-key or {TOKEN_VARIABLE}"
        )
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
    elif token_url is not None:
        if not client_id or client_secret_file is None:
            raise UsageError("--token-url needs --client-id and --client-secret-file")
        secret = client_secret_file.read_text().strip()
        tokens, manager = ClientCredentials(token_url, client_id, secret), client_id
    else:
        given = GivenTokens(path=token_file, text=given_text or "")
        tokens, manager = given, given.subject()
    if (signing_key is None) != (signing_key_id is None):
        raise UsageError("--signing-key and --signing-key-id belong together")
    signer = MessageSigner.read(signing_key, signing_key_id) if signing_key and signing_key_id else None
    with DssClient(url, tokens, allow_http=development_key is not None, ca_file=ca_file, signer=signer) as client:
        yield client, manager


def area_volume(area: str, hours: float) -> dict[str, Any]:
    """``--area`` from now so many hours ahead, as a Volume4D. Raises :class:`UsageError`, :class:`InputError`."""
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


def say_warnings(troubles: list[str]) -> None:
    for trouble in troubles:
        click.echo(f"keepclear: warning: {' '.join(trouble.split())}", err=True)
