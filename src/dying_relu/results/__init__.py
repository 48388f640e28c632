"""Tables, and what made them: schemas, storage, aggregation, provenance."""

from dying_relu import deprecated

__getattr__ = deprecated.forward(__name__)
