"""
The common Channels tutorial, as a system to compare with: a consumer for each socket, the core layer, JSON for each.

It runs in an environment of its own (requirements.txt), since it must be at its best: with redis-py 8 it loses idle
sockets and refuses handshakes. It is otherwise as one finds it: a token in the address, looked up in the handshake; a
group; a REST view that sends to the group.
"""
