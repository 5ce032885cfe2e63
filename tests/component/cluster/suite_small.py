"""What the port promises of events, ConfigMaps and Leases, on any cluster."""

from __future__ import annotations

import pytest
from tests.component.cluster import contract
from tests.component.cluster.contract import World
from tests.component.cluster.suite import names_of

from alembic_operator.cluster.errors import AlreadyExists, Conflict, NotFound, Refused
from alembic_operator.cluster.port import Kind, about


class Small:
    """Events, ConfigMaps and Leases."""

    async def test_event_is_found_by_its_objects_uid_when_it_was_posted(self, world: World) -> None:
        await world.put_schema("shop", contract.SPEC)
        shop = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        await world.cluster.create(Kind.EVENT, world.namespace, contract.event(shop, world.namespace))
        (found,) = await world.cluster.list_all(Kind.EVENT, world.namespace, fields=about(shop["metadata"]["uid"]))
        assert (found["reason"], found["message"]) == ("SchemaCurrent", "at 8b7d0e44aa10")
        assert await world.cluster.list_all(Kind.EVENT, world.namespace, fields=about(contract.OTHER_UID)) == ()

    async def test_refused_when_an_event_is_about_an_object_elsewhere(self, world: World) -> None:
        about = {
            "kind": "DatabaseSchema",
            "metadata": {"namespace": "elsewhere", "name": "shop", "uid": contract.OTHER_UID},
        }
        with pytest.raises(Refused, match=r"involvedObject\.namespace"):
            await world.cluster.create(Kind.EVENT, world.namespace, contract.event(about, world.namespace))

    async def test_config_map_is_read_back_when_it_was_created(self, world: World) -> None:
        await world.cluster.create(Kind.CONFIG_MAP, world.namespace, contract.config_map("runner", text="x"))
        found = await world.cluster.get(Kind.CONFIG_MAP, world.namespace, "runner")
        assert (found["data"], found["immutable"]) == ({"text": "x"}, True)
        with pytest.raises(AlreadyExists):
            await world.cluster.create(Kind.CONFIG_MAP, world.namespace, contract.config_map("runner"))
        with pytest.raises(NotFound):
            await world.cluster.get(Kind.CONFIG_MAP, world.namespace, "none")

    async def test_refused_when_a_config_map_is_larger_than_a_mebibyte(self, world: World) -> None:
        with pytest.raises(Refused, match="Too long"):
            await world.cluster.create(
                Kind.CONFIG_MAP, world.namespace, contract.config_map("runner", text="x" * ((1 << 20) + 1))
            )

    async def test_config_maps_are_paged_by_label_when_there_are_more(self, world: World) -> None:
        ours = {"part": "runner", "in": world.namespace}
        for name in ("a", "b", "c"):
            await world.cluster.create(Kind.CONFIG_MAP, world.namespace, contract.config_map(name, ours))
        await world.cluster.create(Kind.CONFIG_MAP, world.namespace, contract.config_map("d", {"part": "runner"}))
        selector = f"part=runner,in={world.namespace}"
        first = await world.cluster.page(Kind.CONFIG_MAP, "", 2, labels=selector, metadata=True)
        second = await world.cluster.page(Kind.CONFIG_MAP, "", 2, first.token, labels=selector, metadata=True)
        assert [names_of(first.items), names_of(second.items), second.token] == [["a", "b"], ["c"], ""]
        assert [item["metadata"]["labels"] for item in first.items] == [ours, ours]
        assert [item for item in first.items if "data" in item or "binaryData" in item] == []

    async def test_config_map_goes_when_it_is_deleted_by_its_uid_and_then_only(self, world: World) -> None:
        await world.cluster.create(Kind.CONFIG_MAP, world.namespace, contract.config_map("runner"))
        found = await world.cluster.get(Kind.CONFIG_MAP, world.namespace, "runner")
        await world.cluster.delete(Kind.CONFIG_MAP, world.namespace, "runner", contract.OTHER_UID)
        assert await world.cluster.get(Kind.CONFIG_MAP, world.namespace, "runner") == found
        await world.cluster.delete(Kind.CONFIG_MAP, world.namespace, "runner", found["metadata"]["uid"])
        await world.cluster.delete(Kind.CONFIG_MAP, world.namespace, "runner", found["metadata"]["uid"])
        with pytest.raises(NotFound):
            await world.cluster.get(Kind.CONFIG_MAP, world.namespace, "runner")

    async def test_lease_is_replaced_when_the_version_is_the_one_that_was_read(self, world: World) -> None:
        with pytest.raises(NotFound):
            await world.cluster.get(Kind.LEASE, world.namespace, "leader")
        made = await world.cluster.create(Kind.LEASE, world.namespace, contract.lease("leader", "a"))
        with pytest.raises(AlreadyExists):
            await world.cluster.create(Kind.LEASE, world.namespace, contract.lease("leader", "b"))
        version = made["metadata"]["resourceVersion"]
        await world.cluster.replace(Kind.LEASE, world.namespace, "leader", contract.lease("leader", "b", version))
        with pytest.raises(Conflict):
            await world.cluster.replace(Kind.LEASE, world.namespace, "leader", contract.lease("leader", "c", version))
        assert (await world.cluster.get(Kind.LEASE, world.namespace, "leader"))["spec"]["holderIdentity"] == "b"

    async def test_refused_when_a_lease_is_replaced_without_a_version(self, world: World) -> None:
        await world.cluster.create(Kind.LEASE, world.namespace, contract.lease("leader", "a"))
        with pytest.raises(Refused, match="resourceVersion"):
            await world.cluster.replace(Kind.LEASE, world.namespace, "leader", contract.lease("leader", "b"))

    async def test_lease_is_made_anew_when_the_one_to_replace_was_deleted(self, world: World) -> None:
        await world.cluster.replace(Kind.LEASE, world.namespace, "leader", contract.lease("leader", "b", "1"))
        assert (await world.cluster.get(Kind.LEASE, world.namespace, "leader"))["spec"]["holderIdentity"] == "b"
