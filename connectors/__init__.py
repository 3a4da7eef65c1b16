"""Readers of source systems, one folder a system, and the ``Source`` protocol that they share."""
