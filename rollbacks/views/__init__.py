"""The pages: each parses, asks whether the person may, calls one service or query, and answers."""
