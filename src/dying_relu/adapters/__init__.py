"""The Monitor for what people train with: a module for each library, imported only by those who use it."""
