"""The text of the Job's command: `[<spec.migrations.python>, "-c", bootstrap(sha256)]`.

It pins the runner's content, and promises that a Job whose image or mount is wrong says so in its termination message.
It never imports anything of the image before the hash is checked.
"""

from __future__ import annotations

from . import job_env

# A set of strings has the same order in the plan run and in the apply run. Jobs have the variable in their manifest; an
# interpreter that was started without it is started once more.
HASH_SEED = ("PYTHONHASHSEED", "0")

_TEXT = """\
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import json, os, signal
command = getattr(sys, "orig_argv", None)
if command and sys.executable and os.environ.get({seed!r}) != {seed_value!r}:
    os.environ[{seed!r}] = {seed_value!r}
    os.execv(sys.executable, [sys.executable] + command[1:])
class Interrupted(KeyboardInterrupt):
    pass
def interrupt(number, frame):
    signal.signal(number, signal.SIG_IGN)
    raise Interrupted()
def stop(reason, message):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run = json.loads(os.environ.get({variable!r}) or "{{}}")
    result = dict(version=1, kind=run.get("kind", "Check"), outcome="Failed", generation=run.get("generation", -1),
                  target_uid=run.get("target", {{}}).get("uid", ""), job=run.get("job", ""),
                  failure=dict(reason=reason, message=message))
    with open({log!r}, "w") as log:
        log.write(json.dumps(result))
    sys.exit("alembic-operator: " + reason + ": " + message)
signal.signal(signal.SIGTERM, interrupt)
if sys.version_info < (3, 9):
    stop("InvalidSpec", "The runner was started with " + sys.executable + ", which is Python %d.%d. It needs Python 3.9"
         " or newer: name another interpreter of the image in spec.migrations.python." % sys.version_info[:2])
try:
    import hashlib, runpy
    with open({path!r}, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
except IOError:
    stop("RunnerProtocolError", "Starting the runner: {path} could not be read in the pod. The operator mounts it from"
         " a ConfigMap and starts the run again.")
if found != {sha256!r}:
    stop("RunnerProtocolError", "Starting the runner: {path} has sha256 " + found + ", and the Job pins {sha256}. It"
         " was not run. The operator mounts the right one and starts the run again.")
sys.argv[:] = [{path!r}]
try:
    runpy.run_path({path!r}, run_name="__main__")
except KeyboardInterrupt:
    stop("Interrupted", "The pod was terminated before the runner reported a result. The next run reads the database"
         " first.")
"""


def bootstrap(sha256: str) -> str:
    """The Python text that checks the runner's zipapp at job_env.RUNNER_PATH against `sha256` (hex) and runs it.

    The text holds no value of the run; it is the same for every Job of one version of the operator. It takes the
    working directory from sys.path, else a file `/app/logging.py` would shadow the standard library, and installs a
    handler of SIGTERM, which a process with id 1 ignores otherwise. It is written for old Pythons too, so that those
    are told apart.
    """
    return _TEXT.format(
        variable=job_env.REQUEST_VARIABLE,
        log=job_env.TERMINATION_LOG,
        path=job_env.RUNNER_PATH,
        sha256=sha256,
        seed=HASH_SEED[0],
        seed_value=HASH_SEED[1],
    )
