"""Files that are whole or absent: atomic writes, locks, checksums, limits."""
