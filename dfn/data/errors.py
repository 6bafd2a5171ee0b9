"""The one error of this room, free of torch so that everything that only lists data sets can catch it."""


class DataError(ValueError):
    """Data that cannot be used: one sentence that names the field or the file and what would be accepted."""
