"""
The programs that Usher is compared with: their own sources, how they are installed, and how they are told of events.

``python -m bench.peers.install`` brings what is missing; ``python -m bench.peers.prove`` shows that each does its work.
"""
