"""What the Job controller, the kubelet and people do to the in-memory cluster, by hand of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.component.memory_store import Object, Store

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"


class Kubelet(Store):
    """Pods and the outcome of Jobs. A Job is named by namespace and name; its newest pod is meant."""

    def start_pod(self, namespace: str, job: str) -> Object:
        """A pod of the Job, running: its newest one that has not finished, else a new one."""
        return self._set_state(namespace, job, "Running", {"running": {"startedAt": self.stamp()}})

    def waiting(self, namespace: str, job: str, reason: str, message: str) -> Object:
        """The pod's container cannot start (ImagePullBackOff, CreateContainerConfigError, …)."""
        return self._set_state(namespace, job, "Pending", {"waiting": {"reason": reason, "message": message}})

    def unschedulable(self, namespace: str, job: str, message: str) -> Object:
        """No node takes the pod."""
        pod = self._pod(namespace, job)
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod["status"] = {"phase": "Pending", "conditions": [condition]}
        return self.change("pods", pod)

    def finish_pod(
        self,
        namespace: str,
        job: str,
        message: str = "",
        exit_code: int = 0,
        reason: str = "",
        *,
        complete: bool = True,
    ) -> Object:
        """The pod's container ends with a termination message; the Job's condition follows if `complete`."""
        ended = {
            "exitCode": exit_code,
            "reason": reason or ("Error" if exit_code else "Completed"),
            "startedAt": self.stamp(),
            "finishedAt": self.stamp(),
        }
        if message:
            ended["message"] = message
        pod = self._set_state(namespace, job, "Failed" if exit_code else "Succeeded", {"terminated": ended})
        if complete and exit_code:
            self.fail_job(namespace, job, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
        elif complete:
            self.complete_job(namespace, job)
        return pod

    def complete_job(self, namespace: str, job: str) -> Object:
        """The Job controller has seen the pod succeed."""
        found = self.read("jobs", namespace, job)
        found["status"] |= {"succeeded": 1, "active": 0, "completionTime": self.stamp()}
        reached = "Reached expected number of succeeded pods"
        return self._end(found, "SuccessCriteriaMet", "Complete", "CompletionsReached", reached)

    def fail_job(self, namespace: str, job: str, reason: str, message: str = "") -> Object:
        """The Job fails: DeadlineExceeded, BackoffLimitExceeded, PodFailurePolicy. Pods that still run go."""
        found = self.read("jobs", namespace, job)
        for pod in self.pods_of(found):
            if pod["status"]["phase"] in ("Pending", "Running"):
                self.drop("pods", namespace, pod["metadata"]["name"])
        found["status"] |= {"failed": 1, "active": 0}
        return self._end(found, "FailureTarget", "Failed", reason, message)

    def delete_pod(self, namespace: str, pod: str) -> None:
        """Somebody deletes a pod. One that had not finished counts as failed, as Jobs count."""
        found = self.read("pods", namespace, pod)
        self.drop("pods", namespace, pod)
        job = self.find("jobs", namespace, found["metadata"]["labels"][JOB_NAME])
        if job and found["status"]["phase"] in ("Pending", "Running"):
            self.fail_job(namespace, job["metadata"]["name"], "BackoffLimitExceeded")
        self._finalize(namespace, found["metadata"]["labels"][JOB_NAME])

    def refuse_pods(self, namespace: str, job: str, message: str) -> Object:
        """A quota, a webhook or pod security keeps the Job controller from making the pod."""
        about = self.read("jobs", namespace, job)["metadata"]
        return self.add(
            "events",
            namespace,
            {
                "metadata": {"generateName": f"{job}."},
                "involvedObject": {"kind": "Job", "namespace": namespace, "name": job, "uid": about["uid"]},
                "type": "Warning",
                "reason": "FailedCreate",
                "message": message,
                "firstTimestamp": self.stamp(),
                "lastTimestamp": self.stamp(),
                "count": 1,
            },
        )

    def write_log(self, namespace: str, pod: str, lines: Sequence[str]) -> None:
        """What the pod's containers have written."""
        self.read("pods", namespace, pod)
        self._logs[namespace, pod] = list(lines)

    def pods_of(self, job: Mapping[str, Any]) -> list[Object]:
        uid = job["metadata"]["uid"]
        return [
            pod
            for pod in self.all("pods", job["metadata"]["namespace"])
            if pod["metadata"].get("labels", {}).get(CONTROLLER_UID) == uid
        ]

    def _pod(self, namespace: str, job: str) -> Object:
        """The Job's newest pod that has not finished; a new one when there is none."""
        found = self.read("jobs", namespace, job)
        unfinished = [pod for pod in self.pods_of(found) if pod["status"]["phase"] in ("Pending", "Running")]
        if unfinished:
            return max(unfinished, key=lambda pod: int(pod["metadata"]["resourceVersion"]))
        template = found["spec"]["template"]
        about = found["metadata"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": about["uid"], "controller": True}
        head = {
            "generateName": f"{job}-",
            "labels": dict(template["metadata"]["labels"]),
            "annotations": dict(template["metadata"].get("annotations") or {}),
            "ownerReferences": [owner],
        }
        pod = self.add("pods", namespace, {"metadata": head, "spec": template["spec"], "status": {"phase": "Pending"}})
        found["status"] |= {"active": 1, "startTime": self.stamp()}
        self.change("jobs", found)
        return pod

    def _set_state(self, namespace: str, job: str, phase: str, state: Mapping[str, Any]) -> Object:
        pod = self._pod(namespace, job)
        pod["status"] = {
            "phase": phase,
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container.get("image", ""),
                    "restartCount": 0,
                    "ready": phase == "Running",
                    "state": dict(state),
                }
                for container in pod["spec"]["containers"]
            ],
        }
        changed = self.change("pods", pod)
        if "terminated" in state:
            self._finalize(namespace, job)
        return changed

    def _end(self, job: Object, first: str, last: str, reason: str, message: str) -> Object:
        """The two conditions that a Job ends with."""
        now = self.stamp()
        job["status"]["conditions"] = [
            {
                "type": kind,
                "status": "True",
                "reason": reason,
                "message": message,
                "lastProbeTime": now,
                "lastTransitionTime": now,
            }
            for kind in (first, last)
        ]
        return self.change("jobs", job)

    def delete_job(self, namespace: str, name: str) -> None:
        """In the foreground: its pods first. One that runs has its grace period, which `finish_pod` ends."""
        job = self.read("jobs", namespace, name)
        for item in (job, *self.pods_of(job)):
            item["metadata"].setdefault("deletionTimestamp", self.stamp())
            self.change("jobs" if item is job else "pods", item)
        self._finalize(namespace, name)

    def _finalize(self, namespace: str, name: str) -> None:
        """Let a Job that is being deleted go once nothing of it runs."""
        job = self.find("jobs", namespace, name)
        if not job or "deletionTimestamp" not in job["metadata"]:
            return
        pods = self.pods_of(job)
        if any(pod["status"]["phase"] == "Running" for pod in pods):
            return
        for pod in pods:
            self.drop("pods", namespace, pod["metadata"]["name"])
        self.drop("jobs", namespace, name)
