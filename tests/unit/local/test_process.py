import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

from nifos_stream.local.process import LOG_KEPT_BYTES, ServerProcess

SLEEP = [sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)"]


def _wait_for_line(process: ServerProcess) -> None:
    deadline = time.monotonic() + 20
    while not process.log_tail():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_is_stopped_in_order(tmp_path):
    process = ServerProcess(SLEEP, tmp_path / "log")
    _wait_for_line(process)
    assert process.exit_code is None
    process.stop(10)
    assert process.exit_code == -signal.SIGTERM
    process.stop(10)


def test_a_server_that_does_not_stop_is_killed(tmp_path):
    program = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    process = ServerProcess([sys.executable, "-c", program], tmp_path / "log")
    _wait_for_line(process)
    process.stop(0.2)
    assert process.exit_code == -signal.SIGKILL


def test_a_frozen_server_can_be_stopped(tmp_path):
    process = ServerProcess(SLEEP, tmp_path / "log")
    _wait_for_line(process)
    process.send(signal.SIGSTOP)
    process.stop(10)
    assert process.exit_code == -signal.SIGTERM


def test_the_log_is_kept_over_starts_and_bounded(tmp_path):
    log = tmp_path / "server.log"
    log.write_bytes(b"old\n")
    process = ServerProcess(SLEEP, log)
    _wait_for_line(process)
    process.kill()
    assert process.log_tail() == ["ready"]
    assert log.read_bytes() == b"old\nready\n"
    log.write_bytes(b"x" * (LOG_KEPT_BYTES + 1))
    process = ServerProcess(SLEEP, log)
    _wait_for_line(process)
    process.kill()
    assert log.read_bytes() == b"ready\n"


def test_a_server_outlives_the_thread_that_started_it(tmp_path):
    """The death signal is that of a thread; it must not be that of whoever called."""
    started = []
    thread = threading.Thread(target=lambda: started.append(ServerProcess(SLEEP, tmp_path / "log")))
    thread.start()
    thread.join()
    _wait_for_line(started[0])
    time.sleep(0.2)
    assert started[0].exit_code is None
    started[0].kill()


def test_a_server_ends_when_its_parent_is_killed(tmp_path):
    program = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from nifos_stream.local.process import ServerProcess
        server = ServerProcess({SLEEP!r}, Path({str(tmp_path / "log")!r}))
        while not server.log_tail():
            time.sleep(0.02)
        print(server.pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
