"""The Monitor within training libraries: a module for each library, imported only where that library is used."""
