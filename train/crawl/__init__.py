"""Gathering photographs of products: from picture search engines, and from the company's own
folders.

The way of one picture is the same wherever it comes from::

    engine or folder ─body→ clean ─upright RGB→ duplicate? → pictures/ → manifest.jsonl → sheet.html

==================  ===================================================================================================
``engines.py``      the one place that knows icrawler: its feeders, parsers and downloaders, watched and counted
``hunt.py``         one search: what its threads share, how politely it asks, when there is enough
``tally.py``        what arrived and what became of it
``folder.py``       ``--from``: a folder of photographs, through the same cleaning
``cleaning.py``     bytes from anywhere become an upright RGB JPEG, or are refused with a reason
``collection.py``   the folder that is filled: duplicates, numbers, dropping, what was removed by hand
``manifest.py``     one JSON line for each thing that happened, on the disk before the next
``sheet.py``        the page a person looks through
==================  ===================================================================================================
"""
