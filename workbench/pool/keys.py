"""Certificates for the control plane: a pool's own authority, and one certificate by it.

Whoever holds the certificate may command the pool; so it is handed out as a password would be.
"""

from __future__ import annotations

import datetime
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.pool.errors import PoolError, need
from workbench.pool.records import private_file, private_folder

#: Keys hold from so long ago: clocks of machines differ.
_MARGIN = datetime.timedelta(days=1)
#: The files that keys are saved in, none of which is longer than that.
_MOST_BYTES = 1 << 20
FILES = {"authority": "authority.pem", "certificate": "certificate.pem", "key": "key.pem"}


@dataclass(frozen=True)
class Keys:
    """What both ends of a connection show each other, as PEM texts.

    >>> from workbench.pool.keys import Keys
    >>> keys = Keys.make()
    >>> keys.certificate.splitlines()[0]
    '-----BEGIN CERTIFICATE-----'
    >>> keys
    Keys(...)
    """

    authority: str
    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Keys(...)"

    @classmethod
    def make(cls, name: str = "workbench pool", *, days: float = 3650) -> Keys:
        """New keys, which nobody else has, and which nobody takes any more after `days`."""
        need("cryptography", "cryptography", "Making keys for a pool")
        return _make(cls, name, days)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Keys:
        """The keys that were saved in a folder.

        PoolError where one is missing, is something else, or can be read by everybody.
        """
        return cls(**{part: _read(Path(folder) / file) for part, file in FILES.items()})

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes authority.pem, certificate.pem and key.pem, for this user only."""
        private_folder(Path(folder))
        for part, file in FILES.items():
            private_file(Path(folder) / file, getattr(self, part))

    def security(self) -> Any:
        """As Dask takes them: nothing but mutual TLS."""
        from distributed import Security

        return Security(
            require_encryption=True,
            tls_ca_file=self.authority,
            tls_client_cert=self.certificate,
            tls_client_key=self.key,
            tls_scheduler_cert=self.certificate,
            tls_scheduler_key=self.key,
            tls_worker_cert=self.certificate,
            tls_worker_key=self.key,
        )


def _read(path: Path) -> str:
    """The text of a file of keys."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MOST_BYTES).decode("ascii")
    except OSError as error:
        raise PoolError(f"No keys in {path.parent}: {error.strerror}, {path.name}") from None
    except UnicodeDecodeError:
        text = ""
    if not text.lstrip().startswith("-----BEGIN "):
        raise PoolError(f"No keys in {path.parent}: {path.name} is no PEM text")
    if path.name == FILES["key"] and mode & stat.S_IROTH:
        raise PoolError(f"The key {path} can be read by everybody: use chmod 600")
    return text


def wire_keys() -> dict[str, str]:
    """New keys of the wire, as they travel over the control plane."""
    from workbench.cluster.wire.keys import make_keys

    keys = make_keys()
    return {"public": keys.public, "secret": keys.secret}


def _make(cls: type[Keys], name: str, days: float) -> Keys:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC) - _MARGIN
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def certificate(of: x509.Name, public: Any, is_authority: bool) -> Any:
        builder = (
            x509.CertificateBuilder()
            .subject_name(of)
            .issuer_name(authority_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + _MARGIN + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                critical=False,
            )
            .add_extension(_usage(is_authority), critical=True)
        )
        if not is_authority:
            both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    issued = certificate(subject, key.public_key(), False)
    authority = certificate(authority_name, authority_key.public_key(), True)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return cls(
        authority.public_bytes(pem).decode(), issued.public_bytes(pem).decode(), private.decode()
    )


def _usage(is_authority: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
