"""Products (produits) and sales orders (commandes) with their lines."""

import datetime as dt
from decimal import Decimal
from enum import Enum

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText

DISCOUNTS = ("discount1", "discount2", "discount3", "discount4")


class OrderState(Enum):
    """How far an order is. It only goes forward."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Product(Entity, Base):
    """Produit, article."""

    __tablename__ = "product"
    __table_args__ = (Index("ix_product_name", "name"),)

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    price: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))  # of one unit, in the workspace's currency
    unit: Mapped[str | None] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class Discounted:
    """Up to four discounts in per cent, each of what the former ones leave."""

    discount1: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    discount2: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    discount3: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    discount4: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))


class SalesOrder(Discounted, Entity, Base):
    """Commande. Its number is its own in its year."""

    __tablename__ = "sales_order"
    __table_args__ = (
        UniqueConstraint("year", "number"),
        *(CheckConstraint(f"{one} IS NULL OR {one} BETWEEN 0 AND 100", name=one) for one in DISCOUNTS),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"))
    number: Mapped[int]
    year: Mapped[int]
    reference: Mapped[str | None] = mapped_column(String(40))
    total: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))  # of the lines, where there are any
    currency: Mapped[str | None] = mapped_column(String(3))
    date: Mapped[dt.date]
    expected_date: Mapped[dt.date | None]
    comment: Mapped[str | None] = mapped_column(Text)
    internal_comment: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    state: Mapped[OrderState] = mapped_column(EnumText(OrderState))
    status_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"), index=True)


class SalesOrderLine(Discounted, Entity, Base):
    """One line of an order."""

    __tablename__ = "sales_order_line"
    __table_args__ = tuple(
        CheckConstraint(f"{one} IS NULL OR {one} BETWEEN 0 AND 100", name=one) for one in DISCOUNTS
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"), index=True)
    position: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    description: Mapped[str | None] = mapped_column(String(255))
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    price: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    total: Mapped[Decimal] = mapped_column(Numeric(14, 2))
