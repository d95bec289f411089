"""The names of an event: its UID, and what Exchange makes of it. Pure."""

GLOBAL_ID = bytes.fromhex("040000008200E00074C5B7101A82E008")  # begins those that Exchange makes


def global_id(uid: str) -> bytes:
    """The GlobalObjectId of a UID (MS-OXCICAL section 2.1.3.1.1.20.26): those of Exchange are one in
    hexadecimal digits, any other is wrapped."""
    if uid.upper().startswith(GLOBAL_ID.hex().upper()):
        try:
            return bytes.fromhex(uid)
        except ValueError:
            pass
    data = b"vCal-Uid\x01\x00\x00\x00" + uid.encode("utf-8", "replace") + b"\x00"
    return GLOBAL_ID + bytes(20) + len(data).to_bytes(4, "little") + data


def is_made_by_exchange(uid: str) -> bool:
    """Whether it is a UID that Exchange gave by itself, not one that it was told."""
    found = global_id(uid)
    return found.startswith(GLOBAL_ID) and b"vCal-Uid" not in found
