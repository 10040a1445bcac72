"""`dlg keys`: the file by which hosts belong to a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from dlg.rpc.curve import new_pair
from dlg.support.certificates import fingerprint, new_certificate
from dlg.support.cluster_file import (
    ClusterFile,
    ClusterFileError,
    check_name,
    default_path,
    find_cluster_file,
    write_cluster_file,
)
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP

FILE = click.Path(dir_okay=False, path_type=Path)
WHERE = click.option(
    "--cluster", "path", type=FILE, metavar="FILE",
    help="Where the file is, if not in the default place.",
)  # fmt: skip


@click.group(context_settings=HELP)
def keys() -> None:
    """Make the file of a cluster, or tell what it is.

    Hosts that have the same file belong together: their managers and clients know and trust each
    other, and nobody else. Copy it to each host, readable by its owner only.
    """


NEW_EXAMPLES = """
Examples:
  dlg keys new observatory
  scp ~/.config/dlg/cluster.toml host1:.config/dlg/cluster.toml
"""


@keys.command(cls=ExampleCommand, epilog=NEW_EXAMPLES, context_settings=HELP)
@click.argument("name", metavar="CLUSTER")
@WHERE
@click.option("--no-tls", is_flag=True, help="Without a certificate: data and REST in the clear.")
@click.option(
    "--plain-rest", is_flag=True, help="REST in the clear, for clients that know no HTTPS."
)
def new(name: str, path: Path | None, no_tls: bool, plain_rest: bool) -> None:
    """Write the file of a new cluster: its name, token, keys and certificate."""
    check_name(name)
    where = path or default_path()
    if where.exists():  # before openssl is asked
        raise ClusterFileError(
            f"{where} is there already; remove it if no host needs that cluster any more"
        )
    tls = None if no_tls else new_certificate(name)
    made = write_cluster_file(where, name, new_pair(), tls, tls_on_rest=not plain_rest)
    _tell(made)
    click.echo("copy this file to each host of the cluster, with mode 0600", err=True)


@keys.command(context_settings=HELP)
@WHERE
def show(path: Path | None) -> None:
    """Tell what the file of the cluster is, without its secrets.

    Two hosts belong to the same cluster when they show the same fingerprint.
    """
    found = find_cluster_file(path)
    if found is None:
        raise ClusterFileError(f"{default_path()}: there is no such file; dlg keys new makes one")
    _tell(found)


def _tell(file: ClusterFile) -> None:
    click.echo(f"cluster      {file.name}")
    click.echo(f"file         {file.path}")
    click.echo(f"fingerprint  {file.fingerprint}")
    if file.certificate:
        click.echo(f"certificate  {fingerprint(file.certificate)}")
    click.echo(f"rest         {'https' if file.tls_on_rest else 'http'}")
