"""Every kind of record that people write, by its name on the command line."""

from store.fields import ACCOUNTS, CASE_FILES, CONTACTS, DEALS, OPPORTUNITIES, PROJECTS, Kind
from store.selling_fields import ORDER_LINES, ORDERS, PRODUCTS

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        ACCOUNTS, CONTACTS, PROJECTS, DEALS, OPPORTUNITIES, CASE_FILES, PRODUCTS, ORDERS, ORDER_LINES,
    )
}  # fmt: skip
