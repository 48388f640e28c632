"""Tables, and what made them: schemas, storage, aggregation, provenance."""
