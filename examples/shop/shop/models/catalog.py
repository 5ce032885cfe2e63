"""Categories, which form a tree, and the products in them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TypedDict

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.models.base import Base, Keyed, Timestamped


class Attributes(TypedDict, total=False):
    """What only some products have."""

    color: str
    size: str
    tags: list[str]


class Category(Keyed, Base):
    """A node of the tree. A category that still has children or products cannot be deleted."""

    __tablename__ = "categories"
    __table_args__ = (
        sa.UniqueConstraint("slug"),
        sa.Index(None, "parent_id", "position"),
        sa.CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )

    parent_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("categories.id", ondelete="RESTRICT"))
    slug: Mapped[str] = mapped_column(sa.String(80))
    title: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(server_default=sa.text("0"))

    parent: Mapped[Category | None] = relationship(back_populates="children", remote_side="Category.id")
    children: Mapped[list[Category]] = relationship(
        back_populates="parent", order_by="Category.position", passive_deletes="all"
    )
    products: Mapped[list[Product]] = relationship(back_populates="category", passive_deletes="all")


class Product(Keyed, Timestamped, Base):
    """Something for sale."""

    __tablename__ = "products"
    __table_args__ = (
        sa.UniqueConstraint("sku"),
        sa.Index(None, "category_id", "is_active"),
        sa.CheckConstraint("price >= 0", name="price"),
        sa.CheckConstraint("stock >= 0", name="stock"),
    )

    category_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("categories.id", ondelete="RESTRICT"))
    sku: Mapped[str] = mapped_column(sa.String(40))
    title: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str] = mapped_column(sa.Text, server_default="")
    price: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))
    weight_kg: Mapped[float | None] = mapped_column(sa.REAL)
    stock: Mapped[int] = mapped_column(server_default=sa.text("0"))
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    attributes: Mapped[Attributes] = mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))

    category: Mapped[Category] = relationship(back_populates="products")
