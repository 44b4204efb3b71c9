"""What an idle platform costs is read from the kernel's own count, on both kinds of cgroups."""

from __future__ import annotations

from pathlib import Path

from bench import idle


def test_parts_are_told_by_their_names() -> None:
    assert idle.part_of("berth-monitor.2.0nl2opbgz0malvwbatmnxl79d", "berth") == "monitor"
    assert idle.part_of("berth-sensor-manager-api.1.x", "berth") == "sensor-manager-api"
    assert idle.owned("berth-kafka", "", "berth") and idle.owned("berth-agent.m9.x", "agent", "berth")
    assert not idle.owned("berth-d-3467ebb6ba0e-web-g1.1.vr", "", "berth")
    assert not idle.owned("berth-demo-building", "", "berth")


def test_old_cgroups(tmp_path: Path) -> None:
    pid = own(tmp_path, "9:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n0::/docker/a\n")
    write(tmp_path / "cg/cpuacct/docker/a/cpuacct.usage", "2500000000\n")
    write(tmp_path / "cg/memory/docker/a/memory.stat", "cache 99\nrss 1\ntotal_rss 3145728\ntotal_swap 1048576\n")
    assert idle.groups(pid, tmp_path / "proc")["cpuacct"] == "/docker/a"
    assert idle.cpu_seconds(pid, tmp_path / "cg", tmp_path / "proc") == 2.5
    assert idle.memory_mb(pid, tmp_path / "cg", tmp_path / "proc") == 4


def test_new_cgroups(tmp_path: Path) -> None:
    pid = own(tmp_path, "0::/system.slice/docker-a.scope\n")
    write(tmp_path / "cg/system.slice/docker-a.scope/cpu.stat", "usage_usec 1500000\nuser_usec 1\n")
    write(tmp_path / "cg/system.slice/docker-a.scope/memory.stat", "anon 2097152\nfile 999999999\n")
    assert idle.cpu_seconds(pid, tmp_path / "cg", tmp_path / "proc") == 1.5
    assert idle.memory_mb(pid, tmp_path / "cg", tmp_path / "proc") == 2


def test_dockers_own_processes_are_counted_apart(tmp_path: Path) -> None:
    fields = "S 1 1 1 0 -1 0 0 0 0 0"
    write(tmp_path / "7/stat", f"7 (dockerd) {fields} 150 50 0 0")
    write(tmp_path / "8/stat", f"8 (containerd-shim) {fields} 10 0 0 0")
    write(tmp_path / "9/stat", f"9 (python3 (x)) {fields} 900 0 0 0")
    assert idle.engine_seconds(tmp_path) == 210 / idle.TICK


def test_wakes_are_those_of_all_threads_in_the_container(tmp_path: Path) -> None:
    pid = own(tmp_path, "0::/a\n")
    write(tmp_path / "cg/a/cgroup.procs", "42\n43\n")
    for process, thread, slept in ((42, 42, 7), (42, 44, 1), (43, 43, 5)):
        counts = f"voluntary_ctxt_switches:\t{slept}\nnonvoluntary_ctxt_switches:\t99\n"
        write(tmp_path / f"proc/{process}/task/{thread}/status", f"Name:\tx\n{counts}")
    assert idle.wakes(pid, tmp_path / "cg", tmp_path / "proc") == {"42": 7, "44": 1, "43": 5}


def own(root: Path, text: str) -> int:
    write(root / "proc/42/cgroup", text)
    return 42


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
