"""Which addresses a website may have: public ones only.

Whoever may type in a website must not have the service ask machines of the company's own network, so the
address that a connection is made to is looked at, and not the name. Pure.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address

# Of protocols, not of machines (RFC 6890, 7526): Python's table lets some of them pass.
_PROTOCOLS = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
_UNICAST = IPv6Network("2000::/3")  # all that is given out (RFC 4291, IANA's registry of IPv6 addresses)
_NAT64 = IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address (RFC 6052)
# Ways to reach an IPv4 address that this check would not see; nobody has a website there.
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))  # 6to4 (RFC 3056), Teredo (RFC 4380)
# Documentation, benchmarks and the like (RFC 6890, 9637): later ones than Python's own table may have.
_SPECIAL = (IPv6Network("2001::/23"), IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))


def read(text: str) -> IPAddress | None:
    """The address that a text is; None where it is none. 127.1, 0x7f000001 and 0177.0.0.1 are none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """Whether that is an address on the public internet, of a single machine."""
    if isinstance(address, IPv4Address):
        special = address.is_multicast or address.is_reserved or any(address in one for one in _PROTOCOLS)
        return address.is_global and not special
    if address.scope_id is not None:
        return False
    if address in _NAT64:  # what the addresses of IPv4 look like from a network that has IPv6 only
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _UNICAST or any(address in one for one in (*_TUNNELS, *_SPECIAL)):
        return False  # loopback, link-local, private, multicast, mapped and compatible ones among them
    return address.is_global
