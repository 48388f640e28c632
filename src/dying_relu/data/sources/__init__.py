"""Sources of a data set's files, each in one module."""
