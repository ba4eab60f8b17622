"""What each input of the gate tells: encoder, photo-eye and bin, and the edges that are lost.

Pure: events come in, places and losses go out; no clock, no queue.
"""
