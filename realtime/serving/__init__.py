"""
The two servers Usher runs under, made to behave alike.

``daphne.run`` and ``uvicorn.run`` take an ASGI application and serve it until SIGTERM or SIGINT. Under both it may rely
on the same things, which are what a connection that must neither lose nor hoard events needs:

- ``send`` waits while the client takes nothing, so a slow reader costs one bounded buffer; a client whose messages the
  application does not receive is not read from, once a second one waits.
- A request whose head is not plain, or a handshake that is none, never comes to the application: ``heads`` judges it.
- A handshake may be refused with a status, headers and a body (``websocket.http.response``).
- ``scope["extensions"]["usher.transport"]["abort"]()`` drops a socket at once; a waiting ``send`` raises ``OSError``.
- ``…["write"](frames)`` hands frames that are ready for the wire to the transport, past ``send`` and in order with what
  that sends. It is false when the kernel has not taken all of it; then nothing more should be written before the
  function that was given to ``…["when_written"]`` is called. It raises ``OSError`` once nobody will read it.
- ``…["straight"](ended)``, where there is one, gives the kernel's own send, or None while something goes before. What
  it leaves of some frames has to be handed to ``write`` next. It must not be called any more once ``ended`` was.
- An application that fails or returns leaves no open socket behind: the client sees 1011.
- A connection that is over leaves nothing behind; large buffers go back to the system (``memory``).
- What is kept of connections lies in huge pages, where the system has them (``huge_pages``).
- What was there before the first connection is left alone by the garbage collector (``collector``).
- On the way out the server stops listening, lets the application say goodbye, and answers what it had begun to answer.

Nothing here knows Django, the hub or the protocol of the frames.
"""
