"""Drawing by program: marks of many designs, and the parts that other painters draw with.

Nothing here needs a font file or a picture: the letters are Pillow's own two typefaces and strokes
laid out by hand.
"""
