"""Tables, and what made them: schemas, storage, aggregation, provenance."""

from dying_relu.deprecated import forward

__getattr__ = forward(__name__)
