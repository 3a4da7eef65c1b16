"""The archive: tables, object store, loader, ledger, search, and the database they live in."""
