"""Every kind of record that people write, by its name on the command line."""

from store import fields, selling_fields
from store.fields import Kind

KINDS: dict[str, Kind] = {
    **fields.KINDS,
    **{one.name: one for one in (selling_fields.PRODUCTS, selling_fields.ORDERS, selling_fields.ORDER_LINES)},
}
