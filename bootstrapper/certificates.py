"""The installation's own certificate authority, and what it signs; and the key identity signs tokens with."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrapper.files import write

YEARS = 10
LEAF_DAYS = 825
RENEW_DAYS = 30


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no elliptic curve key")
    return key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(name: str, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(not sign, False, False, False, False, sign, sign, False, False)


def make_authority(folder: Path, name: str, now: datetime.datetime) -> None:
    """ca.key and ca.crt, once; the certificate is written last, so it vouches for both."""
    if (folder / "ca.crt").exists():
        return
    key = new_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(f"Berth {name}", key, now, YEARS * 365)
        .issuer_name(_name(f"Berth {name}"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    write(folder / "ca.key", key_pem(key), 0o600)
    write(folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(n.value) for n in found}


def stands(path: Path, names: Sequence[str], now: datetime.datetime) -> bool:
    """The certificate is there, speaks for these names, and does not end soon."""
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    left = certificate.not_valid_after_utc - now
    return _names(certificate) == set(names) and left > datetime.timedelta(days=RENEW_DAYS)


def make_leaf(folder: Path, name: str, names: Sequence[str], now: datetime.datetime) -> None:
    """<name>.key and <name>.crt signed by the authority; made anew when names change or the end is near."""
    if stands(folder / f"{name}.crt", names, now):
        return
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    signer = load_key(folder / "ca.key")
    key = new_key()
    certificate = (
        _builder(name, key, now, LEAF_DAYS)
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    write(folder / f"{name}.key", key_pem(key), 0o600)
    write(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
