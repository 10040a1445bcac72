"""`dlg tasks export`: products of a job as files in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import RunError, UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.tables import amount
from dlg_engine.cli.tasks_common import AS_JSON, Place, on_database, print_json
from dlg_engine.tasks import file_store
from dlg_engine.tasks.diagnostics.job_choice import JobChoice, chosen_job
from dlg_engine.tasks.diagnostics.product_list import ProductRow, VersionRow, fetch_products
from dlg_engine.tasks.task_database import TaskDatabaseConnection

PAGE = 500
"""How many products are looked up at once."""
EXAMPLES = """
Examples:
  dlg tasks export 17 results           the files of a job that passed quality control
  dlg tasks export grid results --semantic-type table --metadata
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("job")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@on_database
@click.option("--semantic-type", metavar="NAME", help="Only products of this kind.")
@click.option("--unjudged", is_flag=True, help="Also what quality control has not passed.")
@click.option("--metadata", is_flag=True, help="Write what is known of each file beside it.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@AS_JSON
def export(*, place: Place, job: str, folder: Path, **how: Any) -> None:
    """Copy the products of JOB, the newest version of each, to FOLDER.

    JOB is the number of a job, or a name: several jobs with that get a folder each.
    Each file is compared with its hash on the way.
    """
    with place.open() as tasks:
        chosen = chosen_job(job, database=tasks.database)
        wanted = [
            (product, version)
            for product in _products(tasks, chosen)
            if how["semantic_type"] in (None, product.semantic_type)
            and (version := _newest(product, unjudged=how["unjudged"])) is not None
        ]
        several = len({product.namespace for product, _ in wanted}) > 1
        targets = [_target(folder, product, several=several) for product, _ in wanted]
        there = [target for target in targets if target.exists()]
        if there and not how["force"]:
            raise UsageError(f"{there[0]} is there already: --force writes over files")
        written = []
        for (product, version), target in zip(wanted, targets, strict=True):
            _copy(tasks, version, target)
            if how["metadata"]:
                _describe(product, version, target)
            written.append({"file": str(target), "version": version.version_id})
        size = sum(version.size for _, version in wanted)
    if how["as_json"]:
        print_json(written)
    elif not written:
        raise UsageError(f"job {job} has no such products")
    else:
        files = "file" if len(written) == 1 else "files"
        click.echo(f"wrote {len(written):,} {files}, {amount(size)}, to {folder}")


def _products(tasks: TaskDatabaseConnection, chosen: JobChoice) -> Iterator[ProductRow]:
    after = 0
    while True:
        page = fetch_products(
            chosen.job_name, namespace=chosen.namespace, after=after, most=PAGE,
            database=tasks.database,
        )  # fmt: skip
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].product_id


def _newest(product: ProductRow, *, unjudged: bool) -> VersionRow | None:
    fitting = [one for one in product.versions if one.passed_qc or unjudged]
    return fitting[-1] if fitting else None


def _target(folder: Path, product: ProductRow, *, several: bool) -> Path:
    """Return where a product is written; refuse a name that would lead out of the folder."""
    root = folder / product.namespace if several else folder
    target = root / product.directory / product.filename
    if not target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"product {product.product_id}: {product.path!r} leads out of {folder}")
    return target


def _copy(tasks: TaskDatabaseConnection, version: VersionRow, target: Path) -> None:
    path = tasks.file_version_path_for_id(version.version_id, must_exist=True)
    if path is None:
        raise RunError(
            f"the file for {target}, version {version.version_id}, is not in the store "
            f"{tasks.file_store_path}: name by --store the one that the workers had"
        )
    found = file_store.copy(Path(path), target, durable=False)
    try:
        file_store.check(Path(path), found, version.content_hash, version.size)
    except RunError:
        target.unlink()  # nobody is to take it for the product
        raise


def _describe(product: ProductRow, version: VersionRow, target: Path) -> None:
    facts = {
        "task": product.task_id, "attempt": version.attempt_id, "version": version.version_id,
        "semantic_type": product.semantic_type, "passed_qc": version.passed_qc,
        "md5": version.md5, "content_hash": version.content_hash, "size": version.size,
        "created": version.created, "metadata": version.metadata,
    }  # fmt: skip
    target.with_name(f"{target.name}.metadata.json").write_text(json.dumps(facts, indent=1) + "\n")
