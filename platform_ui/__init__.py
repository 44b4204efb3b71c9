"""The pages that people use.

Owns: browser sessions, and what was wrong with an upload until it has been read.
Hears: nothing; it asks the HTTP API for the person who looks.
Says: nothing.
Serves: every path that is not below /api: pages, their live news, and the upload that it passes on as it comes.
"""
