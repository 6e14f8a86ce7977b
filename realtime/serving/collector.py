"""The garbage collector in a server's process: what stays is not looked through again and again."""

import gc

THRESHOLDS = (10_000, 5, 5)
"""
So many more objects than before, and the young are looked through; each fifth time those that have stayed; each fifth
time of these, all. Most is freed by counting alone. What is in circles, some 10 KB of a socket that has ended, waits
for the last: that of a few thousand sockets, at most.
"""


def spare_what_stays() -> None:
    """
    Have the collector leave alone what there is when a server begins to listen, and look less often at what is new.

    Modules, models and settings are some hundred thousand objects that live as long as the process. By Python's own
    thresholds a storm of handshakes has the collector look through them, and through every open socket, again and
    again: some 3 s of the time that 4,000 handshakes at once took.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
