"""The directory over LDAP: people are `uid=...,ou=people,BASE`, groups `cn=...,ou=groups,BASE` (groupOfNames)."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldap3 import AUTO_BIND_NO_TLS, AUTO_BIND_TLS_BEFORE_BIND, BASE, SUBTREE, Connection, Server, Tls  # type: ignore[import-untyped]
from ldap3.core import exceptions as ldap  # type: ignore[import-untyped]
from ldap3.utils.conv import escape_filter_chars  # type: ignore[import-untyped]
from ldap3.utils.dn import escape_rdn, safe_dn  # type: ignore[import-untyped]

from backbone.directory import Person
from backbone.settings import Secret, Settings
from contracts.errors import Refused, Unavailable

REFUSED = "the directory knows no such username with this password"
WRONG = (
    ldap.LDAPInvalidCredentialsResult, ldap.LDAPNoSuchObjectResult, ldap.LDAPInvalidDNSyntaxResult,
    ldap.LDAPInvalidDnError, ldap.LDAPInvalidValueError, ldap.LDAPPasswordIsMandatoryError,
    ldap.LDAPInappropriateAuthenticationResult, ldap.LDAPSASLPrepError,
)  # fmt: skip
Entry = dict[str, Any]


def open_directory(settings: Settings) -> LdapDirectory:
    """LDAP_URL is ldaps://host[:port] or ldap://...; with LDAP_CA (a file) the server's certificate must come from it.

    LDAP_BASE is where ou=people and ou=groups are. LDAP_BIND_USER (a whole DN) and LDAP_BIND_PASSWORD are the account
    that `find` and `people` need; `login` without it searches as the person who logs in.
    """
    url, base = settings.text("LDAP_URL"), settings.text("LDAP_BASE")
    ca = settings.text("LDAP_CA", "")
    account = settings.text("LDAP_BIND_USER", "")
    password = settings.secret("LDAP_BIND_PASSWORD", "")
    settings.check()
    return LdapDirectory(url, base, ca, account, password)


class LdapDirectory:
    """One connection a call: logins are few, and a connection that was kept may be dead. Only `ready` keeps one."""

    def __init__(self, url: str, base: str, ca: str = "", account: str = "", password: Secret | None = None) -> None:
        self._base, self._account, self._password = base, account, password
        self._url = url
        self._tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca or None, version=ssl.PROTOCOL_TLS_CLIENT)
        self._kept: Any = None
        self._lock = threading.Lock()
        self._bind = AUTO_BIND_TLS_BEFORE_BIND if ca and not self._server().ssl else AUTO_BIND_NO_TLS

    def _server(self) -> Any:
        """Made anew for each connection: ldap3 keeps where a server was for five minutes, also after it has come back elsewhere."""
        return Server(self._url, tls=self._tls, connect_timeout=3, get_info=None)

    def login(self, username: str, password: str) -> Person:
        if not username or not password:
            raise Refused(REFUSED)  # LDAP takes an empty password for an anonymous bind, and lets it pass
        with told():
            dn = f"uid={escape_rdn(username)},ou=people,{self._base}"
            if self._account:
                with self._as_account() as connection:
                    entry = self._entry(connection, username)
                if not entry:
                    raise Refused(REFUSED)
                dn = entry["dn"]
            try:
                connection = self._connect(dn, password)
            except WRONG:
                raise Refused(REFUSED) from None
            with connection:
                if self._account:
                    with self._as_account() as reader:
                        return self._found(reader, username)
                return self._found(connection, username)

    def find(self, username: str) -> Person | None:
        with told(), self._as_account() as connection:
            entry = self._entry(connection, username)
            return self._person(connection, entry) if entry else None

    def people(self) -> list[Person]:
        with told(), self._as_account() as connection:
            entries = self._search(connection, "people", "(uid=*)", ["uid", "cn", "mail"])
            groups: dict[str, list[str]] = {}
            for group in self._search(connection, "groups", "(objectClass=groupOfNames)", ["cn", "member"]):
                for member in group["attributes"].get("member", ()):
                    groups.setdefault(plain(member), []).append(first(group, "cn"))
            people = [person(entry, groups.get(plain(entry["dn"]), [])) for entry in entries]
            return sorted(people, key=lambda one: one.username)

    def ready(self) -> None:
        """Asked often: a whole TLS greeting each time would cost both sides more than all logins."""
        with self._lock, told():
            if self._kept is not None:
                try:
                    return self._look(self._kept)
                except ldap.LDAPException:
                    self._kept = None  # it may have been closed by the other side meanwhile
            self._look(self._as_account() if self._account else self._anonymous())

    def _look(self, connection: Any) -> None:
        try:
            connection.search("", "(objectClass=*)", BASE, attributes=["1.1"])
        except ldap.LDAPOperationResult:
            pass  # it answered, and that is what was asked
        except ldap.LDAPException:
            connection.unbind()
            raise
        self._kept = connection

    def _anonymous(self) -> Any:
        connection = Connection(self._server(), receive_timeout=5, raise_exceptions=True)
        connection.open()
        return connection

    def _as_account(self) -> Any:
        if not self._account or not self._password:
            raise Unavailable("the directory cannot be searched: set LDAP_BIND_USER and LDAP_BIND_PASSWORD")
        return self._connect(self._account, self._password.reveal())

    def _connect(self, dn: str, password: str) -> Any:
        return Connection(
            self._server(), dn, password, auto_bind=self._bind, read_only=True, receive_timeout=5,
            raise_exceptions=True, auto_referrals=False,
        )  # fmt: skip

    def _found(self, connection: Any, username: str) -> Person:
        entry = self._entry(connection, username)
        if not entry:
            raise Unavailable(f"the directory let {username} in, but shows no such entry under ou=people,{self._base}")
        return self._person(connection, entry)

    def _entry(self, connection: Any, username: str) -> Entry | None:
        entries = self._search(connection, "people", f"(uid={escape_filter_chars(username)})", ["uid", "cn", "mail"])
        return entries[0] if len(entries) == 1 else None

    def _person(self, connection: Any, entry: Entry) -> Person:
        member = escape_filter_chars(entry["dn"])
        found = self._search(connection, "groups", f"(&(objectClass=groupOfNames)(member={member}))", ["cn"])
        return person(entry, [first(group, "cn") for group in found])

    def _search(self, connection: Any, unit: str, what: str, attributes: list[str]) -> list[Entry]:
        found = connection.extend.standard.paged_search(
            f"ou={unit},{self._base}", what, SUBTREE, attributes=attributes, paged_size=500, generator=False
        )
        return [entry for entry in found if entry["type"] == "searchResEntry"]


def first(entry: Entry, attribute: str) -> str:
    values = entry["attributes"].get(attribute) or [""]
    return str(values if isinstance(values, str) else values[0])


def person(entry: Entry, groups: list[str]) -> Person:
    return Person(first(entry, "uid"), first(entry, "cn"), first(entry, "mail"), tuple(sorted(groups)))


def plain(dn: str) -> str:
    return str(safe_dn(dn)).lower()


@contextmanager
def told() -> Iterator[None]:
    """What is left of LDAP's errors means that the directory cannot be asked."""
    try:
        yield
    except ldap.LDAPException as error:
        hint = "see LDAP_URL, LDAP_CA and LDAP_BIND_USER"
        raise Unavailable(f"the directory cannot be asked: {error}; {hint}") from error
