"""Every statement about the journal: its tables, how records come in, are found, counted and go.

`rows` and `names` serve all of them. `finding` answers pages: what filters ask are `predicates`,
`planning` chooses how the index serves them, `walking` does it, `postings` has the statements.
`charts` counts, `clearing` makes anonymous and deletes, `merging` keeps the walk short.
"""

from stopgap.journal.store.merging import merge
from stopgap.journal.store.writing import forget_offset, insert, offset, set_offset

__all__ = ["forget_offset", "insert", "merge", "offset", "set_offset"]
