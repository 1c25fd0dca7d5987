"""The room's certificate: self-signed, for one address, made on the machine that serves."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from culture_d.workshop.model import Workshop

_DAYS = 90
_MARGIN = timedelta(days=7)
_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def ensure(workshop: Workshop) -> str:
    """Make the certificate of the workshop's address if there is none good for it.

    Returns:
        Its SHA-256 fingerprint, as browsers show it: « 3F:A0:… ».
    """
    found = _read(workshop.certificate)
    if found is None or not _good(found, workshop.address) or not workshop.key.exists():
        found = _make(workshop)
    return ":".join(f"{byte:02X}" for byte in found.fingerprint(hashes.SHA256()))


def _good(found: x509.Certificate, address: str) -> bool:
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    now = datetime.now(UTC)
    return (
        ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)
        and found.not_valid_before_utc <= now
        and now + _MARGIN <= found.not_valid_after_utc
    )


def _make(workshop: Workshop) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Culture D {workshop.name}")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(workshop.address))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    workshop.key.parent.mkdir(mode=0o700, exist_ok=True)
    _write(
        workshop.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    _write(workshop.certificate, made.public_bytes(serialization.Encoding.PEM))
    return made


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
