"""Runs fixtures, one app and one request each, through the test client.

`fixtures` reads files, `parameters` and `handlers` turn a fixture into a handler, `run` calls it,
and `expectation` compares the response. ``python tests/conformance FOLDER`` runs a whole folder.
"""
