"""The portal over HTTP for programs: the same services as the pages, JSON, tokens, and problems for refusals."""
