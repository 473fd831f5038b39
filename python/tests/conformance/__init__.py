"""Runs fixtures, one app and one request each, through the test client.

`fixtures` reads files, `parameters`, `handlers` and `answers` turn a fixture into a route,
`content` makes its request, `run` sends that, and `expectation` compares the response.
``python tests/conformance FOLDER`` runs a whole folder.
"""
