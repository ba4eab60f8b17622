"""Drawing marks by program: outlines, motifs, lettering, colours, and the designs that put them
together.

Nothing here needs a font file or a picture: the letters are Pillow's own two typefaces and strokes
laid out by hand.
"""
