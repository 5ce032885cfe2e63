"""Orders and their items."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, Keyed, Timestamped, checked
from shop.models.catalog import Product

if TYPE_CHECKING:
    from shop.models.people import User
    from shop.models.subscriptions import Subscription


class OrderStatus(enum.Enum):
    """Where an order stands."""

    NEW = "new"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Address(TypedDict):
    """Where an order goes; country as ISO 3166 alpha-2."""

    street: str
    city: str
    country: str


class Order(Keyed, Timestamped, Base):
    """One purchase. `delivery_slot` is wall-clock time at the destination, hence without time zone."""

    __tablename__ = "orders"
    __table_args__ = (
        sa.Index(None, "user_id", "placed_at"),
        sa.Index(None, "subscription_id"),
        sa.CheckConstraint("total >= 0", name="total"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="RESTRICT"))
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("subscriptions.id", ondelete="SET NULL"))
    status: Mapped[OrderStatus] = mapped_column(checked(OrderStatus, "status"), server_default="new")
    total: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2), server_default=sa.text("0"))
    currency: Mapped[str] = mapped_column(sa.String(3), server_default="EUR")
    placed_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    delivery_slot: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=False))
    shipping: Mapped[Address] = mapped_column(JSONB)

    user: Mapped[User] = relationship(back_populates="orders")
    subscription: Mapped[Subscription | None] = relationship(back_populates="orders")
    items: Mapped[list[OrderItem]] = relationship(
        back_populates="order", cascade="all, delete-orphan", passive_deletes=True
    )


class OrderItem(Keyed, Base):
    """One product in one order; it goes with its order, and keeps its product from being deleted."""

    __tablename__ = "order_items"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "product_id"),
        sa.Index(None, "product_id"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("products.id", ondelete="RESTRICT"))
    quantity: Mapped[int] = mapped_column(server_default=sa.text("1"))
    unit_price: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))

    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()
