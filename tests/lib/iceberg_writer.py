"""Tables of a filesystem catalog as the `pyiceberg` package writes to them."""

from __future__ import annotations

from pathlib import Path

from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io import FileIO, load_file_io
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.serializers import FromInputFile, ToOutputFile
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

from .iceberg import metadata_file


class FilesystemCatalog(NoopCatalog):
    """A table's next state is the metadata file of the next number."""

    def __init__(self, directory: Path) -> None:
        super().__init__("files", warehouse=str(directory))
        self.directory = directory

    def load(self) -> Table:
        """Returns the table in its newest state."""
        place = str(metadata_file(self.directory))
        io = load_file_io(location=place)
        found = FromInputFile.table_metadata(io.new_input(place))
        return Table(("files", self.directory.name), found, place, io, self)

    def put(self, number: int, found: TableMetadata) -> str:
        """Writes a state."""
        place = self.directory / "metadata" / f"v{number}.metadata.json"
        assert not place.exists(), f"{place} is taken"
        io = load_file_io(location=str(place))
        ToOutputFile.table_metadata(found, io.new_output(str(place)))
        hint = self.directory / "metadata" / "version-hint.text"
        if hint.exists():
            hint.write_text(str(number))
        return str(place)

    def commit_table(
        self,
        table: Table,
        requirements: tuple[TableRequirement, ...],
        updates: tuple[TableUpdate, ...],
    ) -> CommitTableResponse:
        """Makes the next state, where nobody else has."""
        for requirement in requirements:
            requirement.validate(table.metadata)
        place = metadata_file(self.directory)
        found = update_table_metadata(table.metadata, updates, metadata_location=str(place))
        number = int(place.name.removeprefix("v").split(".")[0]) + 1
        return CommitTableResponse.model_validate(
            {"metadata": found, "metadata-location": self.put(number, found)}
        )

    @staticmethod
    def _delete_old_metadata(io: FileIO, base: TableMetadata, metadata: TableMetadata) -> None:
        """Old files stay."""


def foreign_table(directory: Path) -> Table:
    """Returns the newest state of the table in a directory, to be written to."""
    return FilesystemCatalog(directory).load()


def make_foreign_table(
    directory: Path, schema: Schema, spec: PartitionSpec = UNPARTITIONED_PARTITION_SPEC
) -> Table:
    """Makes an empty table in a directory."""
    catalog = FilesystemCatalog(directory)
    (directory / "metadata").mkdir(parents=True)
    found = new_table_metadata(schema, spec, UNSORTED_SORT_ORDER, directory.as_uri())
    catalog.put(1, found)
    return catalog.load()
