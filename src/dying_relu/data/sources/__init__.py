"""Where a data set's files can come from; each source is one module."""
