"""Does the application work on this database? `python -m shop.smoke` reads and writes through the models.

It prints one line, ends with 0 or 1, and leaves no row behind.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from shop.database import engine
from shop.models import Category, Order, OrderItem, OrderStatus, Plan, Product, Subscription, User

RENEWS = datetime(2027, 1, 1, 12, tzinfo=UTC)


class Broken(Exception):
    """Something that the application relies on does not hold."""


class Smoke:
    """One round through the models, under names of its own so that rounds may run side by side."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions
        self.mark = f"smoke-{uuid.uuid4().hex[:12]}"
        self.checks = 0

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Count a check.

        Raises:
            Broken: found is not what was wanted.
        """
        if found != wanted:
            raise Broken(f"{what}: found {found!r}, expected {wanted!r}")
        self.checks += 1

    @contextmanager
    def refused(self, what: str) -> Iterator[Session]:
        """A session whose work the database must refuse.

        Raises:
            Broken: it did not.
        """
        try:
            with self.sessions.begin() as session:
                yield session
        except IntegrityError:
            self.checks += 1
        else:
            raise Broken(f"{what}: accepted, expected the database to refuse it")

    def write(self) -> None:
        """A user, a small tree, a product, a subscription, an order; what has a default is left out."""
        with self.sessions.begin() as session:
            user = User(email=f"{self.mark}@shop.example", full_name="Smoke Test")
            root = Category(slug=self.mark, title="Smoke")
            leaf = Category(slug=f"{self.mark}-leaf", title="Leaf", parent=root)
            product = Product(sku=self.mark, title="Probe", price=Decimal("2.50"), weight_kg=0.5, category=leaf)
            product.attributes = {"color": "red", "tags": ["smoke"]}
            plan = Subscription(plan=Plan.MONTHLY, price=Decimal("9.90"), renews_at=RENEWS, user=user)
            order = Order(user=user, subscription=plan, shipping={"street": "1", "city": "Ulm", "country": "DE"})
            order.delivery_slot = datetime(2027, 1, 3, 10)
            order.items.append(OrderItem(product=product, quantity=2, unit_price=product.price))
            session.add_all([product, order])

    def read(self) -> None:
        """Read it back through relationships, defaults included, and change it."""
        with self.sessions.begin() as session:
            order = session.scalars(sa.select(Order).join(User).where(User.email.startswith(self.mark))).one()
            self.expect("orders.status", order.status, OrderStatus.NEW)
            self.expect("orders.currency", order.currency, "EUR")
            self.expect("orders.delivery_slot", order.delivery_slot, datetime(2027, 1, 3, 10))
            self.expect("orders.shipping", order.shipping["city"], "Ulm")
            self.expect("users.is_active", order.user.is_active, True)
            self.expect("subscriptions", [s.renews_at for s in order.user.subscriptions], [RENEWS])
            product = order.items[0].product
            self.expect("products.attributes", product.attributes, {"color": "red", "tags": ["smoke"]})
            self.expect("products.weight_kg", product.weight_kg, 0.5)
            parent = product.category.parent
            self.expect("categories.parent", parent and parent.slug, self.mark)
            order.total = order.items[0].quantity * order.items[0].unit_price
            order.status = OrderStatus.PAID
        with self.sessions() as session:
            order = session.scalars(sa.select(Order).join(User).where(User.email.startswith(self.mark))).one()
            self.expect("orders.total", order.total, Decimal("5.00"))
            self.expect("orders.updated_at moves", order.updated_at > order.created_at, True)

    def refuse(self) -> None:
        """What the constraints are for."""
        with self.refused("a user deleted beside orders") as session:
            session.execute(sa.delete(User).where(User.email.startswith(self.mark)))
        with self.refused("a category deleted beside children") as session:
            session.execute(sa.delete(Category).where(Category.slug == self.mark))
        with self.refused("a second user with one email") as session:
            session.add(User(email=f"{self.mark}@shop.example", full_name="Twin"))
        with self.refused("an unknown order status") as session:
            session.execute(sa.text("UPDATE orders SET status = 'lost' WHERE id = (SELECT id FROM orders LIMIT 1)"))

    def clean(self) -> None:
        """Remove the rows, in the order that the foreign keys ask for; items and subscriptions go by cascade."""
        with self.sessions.begin() as session:
            mine = sa.select(User.id).where(User.email.startswith(self.mark))
            session.execute(sa.delete(Order).where(Order.user_id.in_(mine)))
            session.execute(sa.delete(Product).where(Product.sku == self.mark))
            session.execute(sa.delete(Category).where(Category.slug == f"{self.mark}-leaf"))
            session.execute(sa.delete(Category).where(Category.slug == self.mark))
            session.execute(sa.delete(User).where(User.email.startswith(self.mark)))


def main() -> None:
    """Run one round and tell."""
    smoke = Smoke(sessionmaker(engine()))
    try:
        try:
            smoke.write()
            smoke.read()
            smoke.refuse()
        finally:
            smoke.clean()
    except (Broken, SQLAlchemyError) as error:
        first = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        print(f"smoke: failed after {smoke.checks} checks: {first}", file=sys.stderr)
        raise SystemExit(1) from None
    print(f"smoke: ok, {smoke.checks} checks")


if __name__ == "__main__":
    main()
