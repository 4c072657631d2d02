"""SLURM on one node: the daemons of the distribution, in a folder of their own, with as many processors as wanted."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS: Final = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")
CONFIGURATION: Final = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
AuthInfo=socket={folder}/munge.sock
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/daemon.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def demanded() -> None:
    """Skip where SLURM is not installed; fail where the set-up of CI should have installed it."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    lacking = [command for command in COMMANDS if shutil.which(command, path=path) is None]
    if lacking and os.environ.get("CI") == "true" and os.getuid() == 0:
        pytest.fail(f"no {', '.join(lacking)}: .ci/run installs them where it may")
    if lacking or os.getuid() != 0:
        pytest.skip(f"SLURM is not tried: no {', '.join(lacking) or 'root'} (apt-get install slurm-wlm munge)")


def _ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@contextmanager
def running(folder: Path, processors: int) -> Iterator[dict[str, str]]:
    """One node; yields the environment in which `sbatch` and the others find it."""
    demanded()
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    key, (controller, daemon) = folder / "munge.key", _ports(2)
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    text = CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0],
        folder=folder,
        user=getpass.getuser(),
        controller=controller,
        daemon=daemon,
        processors=processors,
    )
    (folder / "slurm.conf").write_text(text, encoding="utf-8")
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    env = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
    names = {"socket": "munge.sock", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
    options = [f"--{option}={folder / name}" for option, name in names.items()]
    with ExitStack() as stack, (folder / "log").open("wb") as log:

        def begin(*command: str) -> None:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
            stack.callback(process.wait)
            stack.callback(_end, process.pid)

        begin("munged", "--foreground", "--force", f"--key-file={key}", *options)
        begin("slurmctld", "-D", "-f", str(folder / "slurm.conf"))
        begin("slurmd", "-D", "-f", str(folder / "slurm.conf"))
        while (
            "idle" not in subprocess.run(["sinfo", "-h"], env=env, capture_output=True, text=True, check=False).stdout
        ):
            assert os.waitpid(-1, os.WNOHANG)[0] == 0, (folder / "log").read_text(encoding="utf-8")
            time.sleep(0.1)
        yield env


def _end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
