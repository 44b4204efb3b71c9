"""The zip's rules, one way for the server, the command line and the pages: judge, read, extract, pack."""

from __future__ import annotations

from contracts.archive_extract import extract
from contracts.archive_inspect import Archive, Entry, ZipLimits, inspect
from contracts.archive_pack import pack
from contracts.archive_read import content, read_text

__all__ = ["Archive", "Entry", "ZipLimits", "content", "extract", "inspect", "pack", "read_text"]
