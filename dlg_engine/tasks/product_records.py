"""Products in the database: the files that tasks make, or will make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, exc, select, update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import EntryExistsError
from dlg_engine.tasks.records import MetadataRecords, need, read_metadata, write_metadata
from dlg_engine.tasks.registering import place_of
from dlg_engine.tasks.statements import ids_of
from dlg_engine.tasks.task_objects import FileProduct


class ProductRecords(MetadataRecords):
    """Products."""

    def file_product_register(  # noqa: PLR0913, PLR0917  the interface has so many
        self,
        generator_task: int,
        directory: str,
        filename: str,
        semantic_type: str,
        planned_time: float | None = None,
        mime_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> int:
        """Register that a task makes a file, and return the product's number.

        Raises EntryExistsError if the file is that of another product in the namespace of the
        task, or the task makes one of this semantic type.
        """
        with self.transaction() as session:
            space = need(session, schema.task, "task", generator_task).namespace
            kinds = ids_of(session, schema.semantic_type, [semantic_type])
            row = {
                "task_id": generator_task,
                "planned": clock.now() if planned_time is None else planned_time,
                "namespace": space,
                "directory": directory,
                "filename": filename,
                "place": place_of(space, directory, filename),
                "semantic_type_id": kinds[semantic_type],
                "mime_type": mime_type,
                "passed": False,
            }
            try:
                with session.begin_nested():
                    made: Any = session.execute(schema.product.insert().values(row))
            except exc.IntegrityError as error:
                raise EntryExistsError(
                    f"{directory}/{filename}: it is a product already, or task {generator_task} "
                    f"makes another of type {semantic_type!r}"
                ) from error
            number = int(made.inserted_primary_key[0])
            write_metadata(session, "product", number, metadata or {})
            return number

    def file_product_update(
        self,
        product_id: int,
        planned_time: float | None = None,
        mime_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is given."""
        given = {"planned": planned_time, "mime_type": mime_type}
        values = {name: value for name, value in given.items() if value is not None}
        with self.transaction() as session:
            need(session, schema.product, "product", product_id)
            if values:
                table = schema.product
                session.execute(update(table).where(table.c.id == product_id).values(values))
            write_metadata(session, "product", product_id, metadata or {})

    def file_product_delete(self, product_id: int) -> None:
        """Delete a product with its versions and their files."""
        with self.transaction() as session:
            need(session, schema.product, "product", product_id)
            self._forget_files(session, schema.version.c.product_id, [product_id])
            session.execute(delete(schema.product).where(schema.product.c.id == product_id))

    def _forget_files(self, session: Session, column: Any, numbers: list[int]) -> None:
        raise NotImplementedError

    def file_product_exists_in_db(self, product_id: int) -> bool:
        """Return whether there is such a product."""
        return self._exists(schema.product, product_id)

    def file_product_has_been_created(self, product_id: int) -> bool:
        """Return whether there is a version of a product."""
        with self._reading() as session:
            query = select(schema.version.c.id).where(schema.version.c.product_id == product_id)
            return session.scalar(query.limit(1)) is not None

    def file_product_has_passed_qc(self, product_id: int) -> bool:
        """Return whether a version of a product was passed by quality control."""
        table = schema.version
        with self._reading() as session:
            query = select(table.c.id).where(
                table.c.product_id == product_id, table.c.passed_qc.is_(True)
            )
            return session.scalar(query.limit(1)) is not None

    def file_product_lookup(self, product_id: int) -> FileProduct | None:
        """Return a product; None if there is none."""
        with self._reading() as session:
            found = products_where(session, schema.product.c.id == product_id)
        return found.get(product_id)

    def file_product_by_filename(
        self, directory: str, filename: str, namespace: str = ""
    ) -> list[int]:
        """Return the number of the product with a name in a namespace, if there is one."""
        key = place_of(namespace, directory, filename)
        with self._reading() as session:
            query = select(schema.product.c.id).where(schema.product.c.place == key)
            return list(session.scalars(query))


def products_where(session: Session, condition: Any) -> dict[int, FileProduct]:
    """Return the products for which a condition holds, by number."""
    table, kind = schema.product, schema.semantic_type
    query = (
        select(table, kind.c.name.label("semantic_type"))
        .join(kind, kind.c.id == table.c.semantic_type_id)
        .where(condition)
        .order_by(table.c.id)
    )
    rows = session.execute(query).all()
    metadata = read_metadata(session, "product", [row.id for row in rows])
    return {
        row.id: FileProduct(
            product_id=row.id,
            generator_task=row.task_id,
            planned_time=row.planned,
            directory=row.directory,
            filename=row.filename,
            semantic_type=row.semantic_type,
            mime_type=row.mime_type,
            metadata=metadata[row.id],
        )
        for row in rows
    }
