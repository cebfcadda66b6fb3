# SPDX-License-Identifier: GPL-2.0-or-later
"""What people run in a whole guest: a package manager, a compiler, debuggers, programs of
32 bits, and what strains the kernel's memory and CPUs. Packages and sources come from the
mirror that the guest's own apt knows, through QEMU's user network."""

import re

from machine import Failed

STEPS = {}
# A compiler has some use for 30,000 lines, and they are a program whose answer is known.
SOURCE = "lua5.4"
COUNT = "local t={} for i=1,200000 do t[i]=i*i end local s=0 for i=1,#t do s=s+t[i]%7 end print(s)"
ANSWER = str(sum(i * i % 7 for i in range(1, 200001)))
# A program of 32 bits whose segment, put into the LDT by modify_ldt, has the answer at its
# start. The next entry has no segment.
LDT_PROGRAM = r"""
#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf back;
static unsigned int data[] = {%s};
static int stage;

static void caught(int number)
{
    (void)number;
    stage++;
    siglongjmp(back, 1);
}

static unsigned int fetch(unsigned int entry)
{
    unsigned int value;

    asm volatile("mov %%1, %%%%fs; mov %%%%fs:0, %%0" : "=r"(value) : "r"(entry << 3 | 7));
    return value;
}

int main(void)
{
    struct user_desc segment = {.entry_number = 1000, .base_addr = (unsigned long)data, .limit = 3, .seg_32bit = 1};

    if (syscall(SYS_modify_ldt, 1, &segment, sizeof(segment))) {
        return 2;
    }
    signal(SIGSEGV, caught);
    fork();
    printf("segment 1000: %%u\n", fetch(1000));
    stage++;
    if (!sigsetjmp(back, 1)) {
        printf("segment 1001: %%u\n", fetch(1001));
        return 3;
    }
    puts("no segment 1001");
    return 0;
}
""" % ANSWER


def step(function):
    """Adds a step, whose name is the function's with dashes."""
    STEPS[function.__name__.replace("_", "-")] = function
    return function


def expect(guest, command, wanted, timeout=60):
    """The command prints what each regular expression finds."""
    said = guest.run(command, timeout)
    for expression in wanted:
        if not re.search(expression, said, re.M):
            raise Failed(f"in the guest: {command}: it said {said!r}, without {expression!r}")


@step
def login(guest):
    """systemd comes to its target, and a terminal asks for a login."""
    guest.run("rm -f /etc/systemd/system/serial-getty@hvc0.service /etc/systemd/system/systemd-user-sessions.service; "
              "systemctl daemon-reload; systemctl start --no-block serial-getty@hvc0.service", 120)
    guest.machine.await_true("systemctl is-active multi-user.target", 120)
    guest.machine.await_console(" login: ", 120)


@step
def apt(guest):
    """Reads the mirror's lists, installs a debugger, and fetches a program's source."""
    guest.run("rm -f /etc/resolv.conf; echo nameserver 10.0.2.3 >/etc/resolv.conf; ip route replace default via 10.0.2.2; "
              "cd /etc/apt/sources.list.d && sed 's/^deb /deb-src /' *sources.list >source.list")
    guest.run("apt-get -q update", 1200)
    guest.run("DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install strace", 600)
    guest.run("apt-get -q check && dpkg --audit && dpkg --verify strace apt gcc", 300)
    guest.run(f"mkdir -p /build && cd /build && apt-get -q source --download-only {SOURCE}", 300)


@step
def gcc(guest):
    """Builds a program of 30,000 lines for 64 bits, with as many jobs as CPUs, and a small one for 32."""
    guest.run(f"cd /build && tar --strip-components 1 -xf {SOURCE}_*.orig.tar.*")
    guest.run("make -s -C /build/src -j $(nproc) all SYSCFLAGS=-DLUA_USE_POSIX SYSLIBS= MYCFLAGS='-g -O1'", 1800)
    expect(guest, f"/build/src/lua -e '{COUNT}'", [f"^{ANSWER}$"], 120)
    source = LDT_PROGRAM.replace("\\", "\\\\").replace("\n", "\\n")
    guest.run(f"cd /build && printf '%b' '{source}' >ldt.c && gcc -m32 -g -Wall -Werror -o ldt ldt.c", 300)


@step
def ldt(guest):
    """A program of 32 bits, and its child, use a segment of their LDT."""
    guest.run("od -An -t x1 -j 4 -N 1 /build/ldt | grep -q 01")
    for _ in range(20):
        said = guest.run("/build/ldt | sort").splitlines()
        if said != ["no segment 1001"] * 2 + [f"segment 1000: {ANSWER}"] * 2:
            raise Failed(f"a program with an LDT said {said}")


@step
def gdb(guest):
    """Breakpoints, single steps, a watchpoint of the processor's, and a backtrace, in both sizes."""
    for path, arguments, function, register, variable, last in (
            ("src/lua", "count.lua", "luaH_resize", "rip", "L->nci", ANSWER),
            ("ldt", "", "fetch", "eip", "stage", "no segment 1001")):
        commands = ["set can-use-hw-watchpoints 1", f"break {function}", "run", "info registers", "backtrace", "delete",
                    f"watch -l {variable}", "continue", "continue", "delete", "handle SIGSEGV nostop", "stepi 50", "continue"]
        script = " ".join(f"-ex '{command}'" for command in commands)
        expect(guest, f"cd /build && echo '{COUNT}' >count.lua && gdb -q -batch {script} --args {path} {arguments}",
               [f"Breakpoint 1, .*{function}", rf"^{register} ", "^#1 .* in ", "Hardware watchpoint 2", "Old value = ",
                f"^{last}$", "exited normally"], 600)


@step
def strace(guest):
    """Each system call of a program and its children, in both sizes."""
    expect(guest, "cd /build && strace -f -o calls src/lua -e 'print(io.popen(\"echo child\"):read())' && cat calls",
           [r"(?s)^child$.*execve.*pipe2?\(.*(clone|vfork).*write\(1, \"child\\n\".*exited with 0"], 120)
    expect(guest, "cd /build && strace -f -o calls ./ldt && cat calls",
           [r"(?s)modify_ldt\(1, .*entry_number=1000, .*SIGSEGV.*exited with 0"], 120)


@step
def strain(guest):
    """Forks, maps and unmaps on all CPUs, with contents verified."""
    seconds = guest.options.seconds
    guest.run(f"stress-ng --fork {guest.vcpus} --mmap {guest.vcpus} --mmap-bytes 32m --munmap {guest.vcpus} --mremap 1 --vm 1 "
              f"--vm-bytes 64m --pagemove 1 --verify --oom-avoid --timeout {seconds} >/tmp/said 2>&1 || {{ cat /tmp/said; false; }}",
              seconds * 3 + 600)
    guest.run("grep -q 'passed: [1-9]' /tmp/said && grep -q 'failed: 0' /tmp/said || { cat /tmp/said; false; }")


@step
def cpus_off_and_on(guest):
    """The last CPU goes offline and comes back 50 times, while programs run on it."""
    if guest.vcpus == 1:
        return
    last = f"/sys/devices/system/cpu/cpu{guest.vcpus - 1}/online"
    guest.run("(while sha256sum /usr/bin/busybox >/dev/null; do :; done) & echo $! >/tmp/worker", 10)
    guest.run(f"for i in $(seq 50); do echo 0 >{last} && echo 1 >{last} || exit; done; kill $(cat /tmp/worker)", 1200)
