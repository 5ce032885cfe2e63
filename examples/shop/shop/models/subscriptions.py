"""Subscriptions, which place orders by themselves."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, Keyed, Timestamped, checked

if TYPE_CHECKING:
    from shop.models.people import User
    from shop.models.sales import Order


class Plan(enum.Enum):
    """How often a subscription orders."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


class Subscription(Keyed, Timestamped, Base):
    """A standing order of one user; it goes with its user."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "plan"),
        sa.CheckConstraint("price >= 0", name="price"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    plan: Mapped[Plan] = mapped_column(checked(Plan, "plan"))
    price: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))
    renews: Mapped[bool] = mapped_column(server_default=sa.true())
    renews_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))

    user: Mapped[User] = relationship(back_populates="subscriptions")
    orders: Mapped[list[Order]] = relationship(back_populates="subscription", passive_deletes="all")
