"""What both implementations of the cluster port promise, as tests; subclassed where a `world` is."""

from __future__ import annotations

import pytest
from tests.component.cluster import contract
from tests.component.cluster.contract import World

from alembic_operator.api import names
from alembic_operator.cluster.errors import AlreadyExists, Conflict, NotFound, Refused
from alembic_operator.cluster.port import OURS, Kind, Raw, about, made_for, named, of_job


def names_of(items: tuple[Raw, ...]) -> list[str]:
    """The names, sorted."""
    return sorted(item["metadata"]["name"] for item in items)


async def _shop(world: World) -> tuple[str, str]:
    """The uid and the version of a DatabaseSchema `shop`, which is made or changed."""
    await world.put_schema("shop", contract.SPEC)
    return _identity(await world.cluster.get(Kind.SCHEMA, world.namespace, "shop"))


def _identity(item: Raw) -> tuple[str, str]:
    return item["metadata"]["uid"], item["metadata"]["resourceVersion"]


async def _apply(world: World, identity: tuple[str, str], status: Raw) -> Raw:
    uid, version = identity
    return await world.cluster.apply_status(Kind.SCHEMA, world.namespace, "shop", status, uid=uid, version=version)


class Schemas:
    """DatabaseSchemas and their status."""

    async def test_true_when_the_crd_is_installed(self, world: World) -> None:
        assert await world.cluster.serves_schemas() is True

    async def test_defaults_are_filled_in_when_a_schema_is_created(self, world: World) -> None:
        await world.put_schema("shop", contract.SPEC)
        shop = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        assert shop["metadata"]["generation"] == 1
        assert shop["status"] == {"observedGeneration": -1}
        assert shop["spec"]["timeouts"]["lock"] == "3s"
        assert shop["spec"]["database"]["secretRef"] == {"name": "shop-db", "key": "uri"}

    async def test_not_found_when_there_is_no_such_schema(self, world: World) -> None:
        with pytest.raises(NotFound, match="read DatabaseSchema"):
            await world.cluster.get(Kind.SCHEMA, world.namespace, "none")

    async def test_generation_rises_when_the_spec_changes_and_then_only(self, world: World) -> None:
        await world.put_schema("shop", contract.SPEC)
        first = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        await world.put_schema("shop", contract.SPEC, {"example.com/note": "new"})
        annotated = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        second = await _apply(world, _identity(annotated), contract.STATUS)
        await world.put_schema("shop", {**contract.SPEC, "revision": "aaaaaaaaaaaa"})
        third = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        states = (first, annotated, second, third)
        assert [each["metadata"]["generation"] for each in states] == [1, 1, 1, 2]
        assert len({each["metadata"]["resourceVersion"] for each in states}) == 4
        assert third["status"] == contract.STATUS

    async def test_status_is_replaced_as_a_whole_when_it_is_applied_again(self, world: World) -> None:
        identity = await _shop(world)
        stalled = {**contract.CONDITION, "type": "Stalled", "reason": "InvalidSpec"}
        both = [contract.CONDITION, stalled]
        full = {**contract.STATUS, "conditions": both, "failures": 2, "currentRevisions": ["a", "b"]}
        written = await _apply(world, identity, full)
        assert written["status"] == full
        less = {"observedGeneration": 2, "conditions": [contract.CONDITION], "currentRevisions": []}
        await _apply(world, _identity(written), less)
        assert (await world.cluster.get(Kind.SCHEMA, world.namespace, "shop"))["status"] == less

    async def test_no_new_version_when_the_same_status_is_applied_again(self, world: World) -> None:
        once = await _apply(world, await _shop(world), contract.STATUS)
        twice = await _apply(world, _identity(once), contract.STATUS)
        assert _identity(once) == _identity(twice)

    async def test_conflict_when_the_schema_changed_since_it_was_read(self, world: World) -> None:
        identity = await _shop(world)
        await world.put_schema("shop", contract.SPEC, {"example.com/note": "new"})
        with pytest.raises(Conflict):
            await _apply(world, identity, contract.STATUS)

    async def test_conflict_when_the_schema_was_made_anew(self, world: World) -> None:
        identity = await _shop(world)
        await world.remove_schema("shop")
        await world.put_schema("shop", contract.SPEC)
        with pytest.raises(Conflict):
            await _apply(world, identity, contract.STATUS)
        assert (await world.cluster.get(Kind.SCHEMA, world.namespace, "shop"))["status"] == {"observedGeneration": -1}

    async def test_not_found_when_the_status_of_a_deleted_schema_is_applied(self, world: World) -> None:
        identity = await _shop(world)
        await world.remove_schema("shop")
        with pytest.raises(NotFound):
            await _apply(world, identity, contract.STATUS)

    @pytest.mark.parametrize(
        ("status", "field"),
        [
            ({"observedGeneration": 1, "conditions": [{**contract.CONDITION, "status": "Maybe"}]}, "status.conditions"),
            ({"observedGeneration": 1, "failures": -1}, "status.failures"),
            ({"observedGeneration": 1, "failures": "two"}, "status.failures"),
            ({"observedGeneration": 1, "conditions": [contract.CONDITION] * 2}, "status.conditions"),
            ({"observedGeneration": 1, "invented": "x"}, "status.invented"),
        ],
        ids=["enum", "minimum", "type", "twice-the-same-key", "unknown-field"],
    )
    async def test_refused_when_the_status_does_not_fit_the_crd(self, world: World, status: Raw, field: str) -> None:
        identity = await _shop(world)
        before = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        with pytest.raises(Refused, match=field):
            await _apply(world, identity, status)
        assert await world.cluster.get(Kind.SCHEMA, world.namespace, "shop") == before

    async def test_every_schema_once_when_pages_are_followed(self, world: World) -> None:
        for name in ("a", "b", "c"):
            await world.put_schema(name, contract.SPEC)
        first = await world.cluster.page(Kind.SCHEMA, world.namespace, 2)
        second = await world.cluster.page(Kind.SCHEMA, world.namespace, 2, first.token)
        assert [names_of(first.items), names_of(second.items), second.token] == [["a", "b"], ["c"], ""]

    async def test_namespace_is_read_with_its_labels_when_it_exists(self, world: World) -> None:
        assert (await world.cluster.get(Kind.NAMESPACE, "", world.namespace))["metadata"]["labels"]["contract"] == "yes"
        with pytest.raises(NotFound):
            await world.cluster.get(Kind.NAMESPACE, "", "no-such-namespace")


class Jobs:
    """Jobs, their pods and their end."""

    async def test_pods_are_found_by_the_jobs_uid_when_it_was_created(self, world: World) -> None:
        created = await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1"))
        uid = created["metadata"]["uid"]
        assert created["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] == uid
        assert await world.cluster.list_all(Kind.POD, world.namespace, labels=of_job(contract.OTHER_UID)) == ()
        await world.finish_pod("run-1", "{}", 0)
        (pod,) = await world.cluster.list_all(Kind.POD, world.namespace, labels=of_job(uid))
        assert pod["metadata"]["ownerReferences"][0]["uid"] == uid

    async def test_already_exists_when_a_job_has_the_name(self, world: World) -> None:
        await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1"))
        with pytest.raises(AlreadyExists, match="run-1"):
            await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1"))

    async def test_not_found_when_the_namespace_of_a_new_job_does_not_exist(self, world: World) -> None:
        with pytest.raises(NotFound, match="no-such-namespace"):
            await world.cluster.create(Kind.JOB, "no-such-namespace", contract.job("run-1"))

    @pytest.mark.parametrize("name", ["Run_1", "-run", "r" * 64])
    async def test_refused_when_a_job_has_an_illegal_name(self, world: World, name: str) -> None:
        with pytest.raises(Refused):
            await world.cluster.create(Kind.JOB, world.namespace, contract.job(name))

    async def test_only_the_operators_jobs_of_a_schema_are_listed_when_asked_by_uid(self, world: World) -> None:
        await world.put_schema("shop", contract.SPEC)
        shop = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        uid = shop["metadata"]["uid"]
        foreign = contract.job("foreign", labels={names.LABEL_UID: uid})
        del foreign["metadata"]["labels"][names.LABEL_MANAGED_BY]
        for body in (contract.job("shop-1", shop), contract.job("other-1"), foreign):
            await world.cluster.create(Kind.JOB, world.namespace, body)
        assert names_of(await world.cluster.list_all(Kind.JOB, world.namespace, labels=made_for(uid))) == ["shop-1"]
        assert names_of(await world.cluster.list_all(Kind.JOB, world.namespace, labels=OURS)) == ["other-1", "shop-1"]
        assert names_of(await world.cluster.list_all(Kind.JOB, "", labels=made_for(uid))) == ["shop-1"]
        assert names_of(await world.cluster.list_all(Kind.JOB, world.namespace, fields=named("foreign"))) == ["foreign"]
        assert await world.cluster.list_all(Kind.JOB, world.namespace, fields=named("none")) == ()

    async def test_result_and_condition_are_there_when_a_pod_succeeds(self, world: World) -> None:
        uid = (await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1")))["metadata"]["uid"]
        await world.finish_pod("run-1", '{"outcome": "x"}', 0)
        (pod,) = await world.cluster.list_all(Kind.POD, world.namespace, labels=of_job(uid))
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (pod["status"]["phase"], ended["message"], ended["exitCode"]) == ("Succeeded", '{"outcome": "x"}', 0)
        assert await self._ended(world, "run-1") == (["SuccessCriteriaMet", "Complete"], "CompletionsReached")

    async def test_job_fails_when_its_pod_fails(self, world: World) -> None:
        await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1"))
        await world.finish_pod("run-1", "", 1)
        assert await self._ended(world, "run-1") == (["FailureTarget", "Failed"], "BackoffLimitExceeded")

    @staticmethod
    async def _ended(world: World, name: str) -> tuple[list[str], str]:
        async def conditions() -> list[Raw]:
            (found,) = await world.cluster.list_all(Kind.JOB, world.namespace, fields=named(name))
            all_of: list[Raw] = found["status"].get("conditions") or []
            return all_of if len(all_of) == 2 else []

        ended = await contract.eventually(conditions, "the Job ends")
        assert all(each["status"] == "True" for each in ended)
        return [each["type"] for each in ended], ended[1]["reason"]

    async def test_job_and_pods_go_when_the_job_is_deleted(self, world: World) -> None:
        uid = (await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1")))["metadata"]["uid"]
        await world.finish_pod("run-1", "", 0)
        await world.cluster.delete(Kind.JOB, world.namespace, "run-1", uid)

        async def gone() -> bool:
            pods = await world.cluster.list_all(Kind.POD, world.namespace, labels=of_job(uid))
            return not pods and not await world.cluster.list_all(Kind.JOB, world.namespace, fields=named("run-1"))

        assert await contract.eventually(gone, "the Job and its pod go")

    async def test_nothing_happens_when_the_job_to_delete_is_another_or_gone(self, world: World) -> None:
        await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1"))
        await world.cluster.delete(Kind.JOB, world.namespace, "run-1", contract.OTHER_UID)
        await world.cluster.delete(Kind.JOB, world.namespace, "none", contract.OTHER_UID)
        (found,) = await world.cluster.list_all(Kind.JOB, world.namespace, fields=named("run-1"))
        assert "deletionTimestamp" not in found["metadata"]

    async def test_jobs_go_when_their_schema_is_deleted(self, world: World) -> None:
        await world.put_schema("shop", contract.SPEC)
        shop = await world.cluster.get(Kind.SCHEMA, world.namespace, "shop")
        await world.cluster.create(Kind.JOB, world.namespace, contract.job("shop-1", shop))
        await world.remove_schema("shop")

        async def gone() -> bool:
            return not await world.cluster.list_all(Kind.JOB, world.namespace, labels=made_for(shop["metadata"]["uid"]))

        assert await contract.eventually(gone, "the Job goes with its owner")

    async def test_log_is_empty_when_no_node_has_the_pod(self, world: World) -> None:
        made = await world.cluster.create(Kind.JOB, world.namespace, contract.job("run-1"))
        await world.wait_for_pod("run-1")
        (pod,) = names_of(
            await world.cluster.list_all(Kind.POD, world.namespace, labels=of_job(made["metadata"]["uid"]))
        )
        assert await world.cluster.read_log(world.namespace, pod, "migration", 10) == ""
        with pytest.raises(Refused, match="sidecar"):
            await world.cluster.read_log(world.namespace, pod, "sidecar", 10)
        with pytest.raises(NotFound):
            await world.cluster.read_log(world.namespace, "no-such-pod", "migration", 10)

    async def test_event_names_the_cause_when_a_jobs_pods_are_refused(self, world: World) -> None:
        made = await world.refuse_pods(contract.job("run-1"))
        uid = made["metadata"]["uid"]
        events = await contract.eventually(
            lambda: world.cluster.list_all(Kind.EVENT, world.namespace, fields=about(uid)), "an Event about the Job"
        )
        assert (events[0]["type"], events[0]["reason"]) == ("Warning", "FailedCreate")
        assert "quota" in events[0]["message"]
        assert await world.cluster.list_all(Kind.POD, world.namespace, labels=of_job(uid)) == ()
