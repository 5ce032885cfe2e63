"""The models at the newest revision: `Base.metadata` is what `alembic check` compares the database with."""

from shop.models.base import Base
from shop.models.catalog import Attributes, Category, Product
from shop.models.people import User
from shop.models.sales import Address, Order, OrderItem, OrderStatus
from shop.models.subscriptions import Plan, Subscription

__all__ = [
    "Address",
    "Attributes",
    "Base",
    "Category",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Plan",
    "Product",
    "Subscription",
    "User",
]
