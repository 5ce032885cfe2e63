"""What every table has: named constraints, a UUID key made by the database, two timestamps."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# A constraint without a name cannot be altered or dropped by a later revision. The revisions write these names out,
# as the operator runs them without this metadata.
NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """The shop's declarative base."""

    metadata = sa.MetaData(naming_convention=NAMING)


class Keyed:
    """A UUID key, made by the database, so that rows inserted by hand get one too."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=sa.text("gen_random_uuid()"))


class Timestamped:
    """When the row came and when it last changed; a trigger of the database keeps `updated_at`."""

    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(
        sa.DateTime(timezone=True), server_default=sa.func.now(), server_onupdate=sa.FetchedValue()
    )


def values(kind: type[enum.Enum]) -> Sequence[str]:
    """The texts that the database holds for an enum."""
    return [member.value for member in kind]


def checked(kind: type[enum.Enum], name: str) -> sa.Enum:
    """A varchar column whose CHECK allows the enum's texts: unlike a native enum, a value can be taken out again."""
    return sa.Enum(kind, native_enum=False, create_constraint=True, length=16, name=name, values_callable=values)
