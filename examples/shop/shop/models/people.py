"""Users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, Keyed, Timestamped

if TYPE_CHECKING:
    from shop.models.sales import Order
    from shop.models.subscriptions import Subscription


class User(Keyed, Timestamped, Base):
    """Somebody who buys. Orders outlive a wish to delete their user; subscriptions go with it."""

    __tablename__ = "users"
    __table_args__ = (
        sa.UniqueConstraint("email"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
    )

    email: Mapped[str] = mapped_column(sa.String(320))
    full_name: Mapped[str] = mapped_column(sa.Text)
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())

    orders: Mapped[list[Order]] = relationship(back_populates="user", passive_deletes="all")
    subscriptions: Mapped[list[Subscription]] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True
    )
