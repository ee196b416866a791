"""Imported first: the program's process lives for seconds and needs no garbage collection.

Looking for cycles, and taking everything apart in the end, was a sixth of the CPU of a preview, all processes together.
"""

import atexit
import gc

gc.disable()
atexit.register(gc.freeze)
