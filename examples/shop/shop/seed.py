"""Fill the newest schema with a small shop: `python -m shop.seed`, or a large one: `--orders 100000`.

Running it again adds nothing: every row has a key made from what it is.
"""

from __future__ import annotations

import argparse
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shop.database import engine
from shop.models import Base, Category, Order, OrderItem, OrderStatus, Plan, Product, Subscription, User

SPACE = uuid.UUID("5b0d6c2e-0000-4000-8000-000000000000")
OPENED = datetime(2026, 1, 1, 9, tzinfo=UTC)
CHUNK = 1000

TREE = {"garden": ("tools", "seeds"), "kitchen": ("knives", "pans", "tea"), "office": ("paper", "pens")}
COLORS = ("red", "dark-blue", "green", "black")
COUNTRIES = {"DE": "EUR", "CH": "CHF", "GB": "GBP", "US": "USD"}

Row = Mapping[str, Any]


def key(kind: str, number: object) -> uuid.UUID:
    """The id of the seed's n-th row of a kind."""
    return uuid.uuid5(SPACE, f"{kind}/{number}")


def categories() -> Iterator[Row]:
    """The tree, parents first."""
    for position, root in enumerate(TREE):
        yield {"id": key("category", root), "slug": root, "title": root.title(), "position": position}
    for root, children in TREE.items():
        for position, child in enumerate(children):
            row = {"id": key("category", child), "slug": f"{root}-{child}", "title": child.title()}
            yield {**row, "parent_id": key("category", root), "position": position}


def products(count: int) -> Iterator[Row]:
    """Products, spread over the leaves of the tree."""
    leaves = [child for children in TREE.values() for child in children]
    for number in range(count):
        dice = random.Random(number)
        leaf = leaves[number % len(leaves)]
        yield {
            "id": key("product", number),
            "category_id": key("category", leaf),
            "sku": f"{leaf[:3].upper()}-{number:05}",
            "title": f"{leaf.title()} no. {number}",
            "description": f"One of our {leaf}.",
            "price": price(number),
            "weight_kg": round(dice.uniform(0.1, 9), 2),
            "stock": dice.randrange(100),
            "attributes": {"color": dice.choice(COLORS), "tags": [leaf]},
        }


def price(number: int) -> Decimal:
    """The price of the n-th product."""
    return Decimal(199 + number * 37 % 9000) / 100


def users(count: int) -> Iterator[Row]:
    """Users, of whom one in twenty has left."""
    for number in range(count):
        row = {"id": key("user", number), "email": f"user{number}@shop.example", "full_name": f"User no. {number}"}
        yield {**row, "is_active": number % 20 != 19}


def subscriptions(count: int) -> Iterator[Row]:
    """A subscription for every third user."""
    plans = list(Plan)
    for number in range(0, count, 3):
        yield {
            "id": key("subscription", number),
            "user_id": key("user", number),
            "plan": plans[number % len(plans)],
            "price": Decimal("9.90"),
            "renews_at": OPENED + timedelta(days=number % 365),
        }


def orders(count: int, user_count: int, product_count: int) -> Iterator[tuple[Row, Row]]:
    """Orders, each with its item."""
    countries, states = list(COUNTRIES), list(OrderStatus)
    for number in range(count):
        user, product, quantity = number % user_count, number * 7 % product_count, 1 + number % 3
        country = countries[number % len(countries)]
        placed = OPENED + timedelta(minutes=number)
        yield (
            {
                "id": key("order", number),
                "user_id": key("user", user),
                "subscription_id": key("subscription", user) if user % 3 == 0 else None,
                "status": states[number % len(states)],
                "total": price(product) * quantity,
                "currency": COUNTRIES[country],
                "placed_at": placed,
                "delivery_slot": (placed + timedelta(days=2)).replace(tzinfo=None),
                "shipping": {"street": f"Main Street {number % 200}", "city": "Springfield", "country": country},
            },
            {
                "id": key("item", number),
                "order_id": key("order", number),
                "product_id": key("product", product),
                "quantity": quantity,
                "unit_price": price(product),
            },
        )


def add(session: Session, model: type[Base], rows: Iterable[Row]) -> int:
    """Insert what is not there yet, and return how many rows that were."""
    pending, added = iter(rows), 0
    while chunk := list(islice(pending, CHUNK)):
        done = session.scalars(insert(model).on_conflict_do_nothing().returning(sa.literal(1)), chunk)
        added += len(done.all())
    return added


def seed(session: Session, order_count: int) -> dict[str, int]:
    """Add a shop with that many orders; returns the rows added by table."""
    user_count, product_count = max(10, order_count // 10), max(20, order_count // 50)
    added = {
        "categories": add(session, Category, categories()),
        "products": add(session, Product, products(product_count)),
        "users": add(session, User, users(user_count)),
        "subscriptions": add(session, Subscription, subscriptions(user_count)),
        "orders": 0,
        "order_items": 0,
    }
    pairs = orders(order_count, user_count, product_count)
    while chunk := list(islice(pairs, CHUNK)):
        added["orders"] += add(session, Order, [order for order, _ in chunk])
        added["order_items"] += add(session, OrderItem, [item for _, item in chunk])
    return added


def main() -> None:
    """Read the command line and fill the database."""
    parser = argparse.ArgumentParser(prog="python -m shop.seed", description=__doc__)
    parser.add_argument("--orders", type=int, default=50, help="how many orders (default 50)")
    count = parser.parse_args().orders
    if count < 1:
        parser.error("--orders must be 1 or more")
    with Session(engine()) as session, session.begin():
        added = seed(session, count)
    print("seed: added " + ", ".join(f"{rows} {table}" for table, rows in added.items()))


if __name__ == "__main__":
    main()
