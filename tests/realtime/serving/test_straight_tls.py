"""Over TLS there is no straight way: what goes to the kernel are not the bytes that are sent."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from uvicorn.server import ServerState

from realtime.serving import uvicorn as on_uvicorn
from realtime.serving.limits import Limits
from realtime.serving.uvicorn_socket import Socket
from tests.realtime.serving.pairs import EVENT, HANDSHAKE, PATIENCE, Application, over


@pytest.mark.usefixtures("quiet_config")
async def test_over_tls_there_is_no_straight_way(monkeypatch, tmp_path):
    monkeypatch.setattr(on_uvicorn.Config, "configure_logging", lambda self: None)
    application, loop = Application(), asyncio.get_running_loop()
    config = on_uvicorn.Config(application, Limits())
    ours, theirs = contexts(tmp_path)
    sockets = []

    def protocol():
        sockets.append(Socket(config, ServerState(), {}, loop))
        return sockets[-1]

    async with asyncio.timeout(PATIENCE), await loop.create_server(protocol, "127.0.0.1", 0, ssl=ours) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=theirs)
        writer.write(HANDSHAKE)
        await application.accepted.wait()

        assert application.lane["write"](EVENT)
        assert not application.go_straight(), "though there is room"
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(EVENT)) == EVENT

        application.leaves.set()
        assert int.from_bytes((await reader.read())[2:4]) == 1011
        writer.close()
        await over(*sockets)


def contexts(folder):
    """Return the two ends of TLS, with a certificate that was made for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "usher.test")]), datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    signed = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = folder / "both.pem"
    pem.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pem)
    return ours, ssl.create_default_context(cafile=pem)
