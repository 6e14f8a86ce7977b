"""
A client for the terminal: logs in over REST, watches over a WebSocket, comes back by itself and resumes.

It knows the wire (docs/protocol.md) and nothing else: no app of the server, no framework, no database.
"""
