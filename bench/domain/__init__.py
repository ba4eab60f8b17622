"""A third domain: eight marks of our own, printed on photographs by a renderer of its own.

Nothing here is shared with the painter that training pictures come from (:mod:`train.paint`,
:mod:`train.drawing`), so that a network cannot have learnt this renderer's habits.
"""
