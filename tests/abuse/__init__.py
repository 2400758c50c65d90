"""Approval and authorisation abuse: matrix A of the acceptance cases, over HTTP and the API."""
