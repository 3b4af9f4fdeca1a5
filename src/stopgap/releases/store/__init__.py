"""Every statement about releases: their tables, and a room for each kind of row."""

from stopgap.releases.store.comparison_rows import ComparisonRows
from stopgap.releases.store.release_rows import (
    ReleaseRows,
    State,
    live_releases,
    needed_artifacts,
    version,
)
from stopgap.releases.store.tally_rows import TallyRows, add_tallies, delete_tallies
from stopgap.releases.store.trouble_rows import delete_troubles, keep_troubles, list_troubles

__all__ = [
    "ComparisonRows",
    "ReleaseRows",
    "State",
    "TallyRows",
    "add_tallies",
    "delete_tallies",
    "delete_troubles",
    "keep_troubles",
    "list_troubles",
    "live_releases",
    "needed_artifacts",
    "version",
]
