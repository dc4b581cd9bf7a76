"""A private certificate authority for the tests, and the three kinds of certificate a server may show."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "localhost"
ELSEWHERE = "somebody.else.example"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM form."""

    certificate: Path
    key: Path


class Authority:
    """`ca_file` is what clients are told to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = _made("the tests' own authority", self._key, None, self._key, is_authority=True)
        self.ca_file = folder / "authority.pem"
        self.ca_file.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def right(self) -> Certificate:
        """Signed by the authority for the host that clients ask."""
        return self._issued("right", HERE, self_signed=False)

    def wrong_name(self) -> Certificate:
        """Signed by the authority, for another host."""
        return self._issued("wrong-name", ELSEWHERE, self_signed=False)

    def self_signed(self) -> Certificate:
        """For the host that clients ask, and vouched for by nobody."""
        return self._issued("self-signed", HERE, self_signed=True)

    def expired(self) -> Certificate:
        """As the right one, but its time is over."""
        return self._issued("expired", HERE, self_signed=False, days=-1)

    def lasting(self, days: int) -> Certificate:
        """As the right one, for so long from now on."""
        return self._issued(f"lasting-{days}", HERE, self_signed=False, days=days)

    def _issued(self, kind: str, name: str, *, self_signed: bool, days: int = 7) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, signer = (None, key) if self_signed else (self._own, self._key)
        certificate = _made(name, key, issuer, signer, is_authority=False, days=days)
        files = Certificate(self._folder / f"{kind}.pem", self._folder / f"{kind}.key")
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _made(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
    days: int = 7,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
