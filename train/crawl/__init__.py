"""Collect photographs of products: from picture search engines, and from the company's own folders.

The way of one picture is the same wherever it comes from::

    engine or folder ─body→ clean ─upright RGB→ duplicate? → pictures/ → manifest.jsonl → sheet.html

===================  ===========================================================================
``engines.py``       the one place that knows icrawler: its feeders, parsers and downloaders,
                     watched and counted
``search_state.py``  one search: what its threads share, how politely it asks, when it has enough
``counts.py``        how many files arrived, were kept, refused or missed
``folder.py``        ``--from``: a folder of photographs, through the same cleaning
``cleaning.py``      bytes from anywhere become an upright RGB JPEG, or are refused with a reason
``collection.py``    the folder that is filled: near duplicates, numbers, dropping, manual removal
``manifest.py``      one JSON line for each thing that happened, on the disk before the next
``html_sheet.py``    the contact sheet, an HTML page that a person looks through
===================  ===========================================================================
"""
