"""Lotus Notes: documents exported as Domino XML (DXL)."""
