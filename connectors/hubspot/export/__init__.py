"""Everybody by an export, where the list would take more calls than are left today.

`ways` says when, `calls` has the export made and fetches its file, `sheet` reads that, `layout` and `cells` say what is in it, `trial` holds it against the API
(`once`: nobody twice), and `harvest` gives what was found to be exact.
"""
