"""Dossiers: their four parts, the files in them, and the requests to change them."""
