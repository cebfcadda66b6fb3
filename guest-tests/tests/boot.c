/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all other tests rely on. */

#include "guest.h"

/* The first of all: after a test, the runtime stops all timers. */
TEST(boot_no_timer_runs, "")
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        must_bind_virq(VIRQ_TIMER, vcpu);
    }
    spin_for(50);
    check_equal(received_in_all(), 0);
}

TEST(boot_clock_runs, "")
{
    uint64_t start = system_time();

    check(wait_for(system_time() > start, 1000));
}

TEST(boot_ipi_to_self, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
    check_equal(received_on(port), 0);
    check(!port_is_pending(port));
}

static void ask_vcpu(void *opaque)
{
    *(volatile unsigned int *)opaque = this_vcpu();
}

TEST(boot_every_vcpu_runs, "vcpus=2")
{
    unsigned int vcpu;

    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        unsigned int it_is = 0;

        vcpu_start(vcpu, ask_vcpu, &it_is);
        check(vcpu_join(vcpu, 5000));
        check_equal(it_is, vcpu);
    }
}

/* A vCPU does not miss a start that comes just before it goes to sleep. */
TEST(boot_vcpu_hears_every_start, "vcpus=2")
{
    unsigned int i, it_is = 0;

    for (i = 0; i < 1000; i++) {
        volatile unsigned int delay;

        it_is = 0;
        vcpu_start(1, ask_vcpu, &it_is);
        require(vcpu_join(1, 5000));
        require(it_is == 1);
        for (delay = i; delay; delay--) {
        }
    }
}

TEST(boot_idle_vcpu_takes_events, "vcpus=2")
{
    evtchn_port_t port = must_bind_ipi(1);
    unsigned int i;

    for (i = 1; i <= 100; i++) {
        require(evtchn_send(port) == 0);
        require(wait_for(received(port) == i, 5000));
        require(received_on(port) == 1);
    }
}

TEST(boot_enable_takes_what_is_pending, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    check(upcalls_enabled());
    upcalls_disable();
    check(!upcalls_enabled());
    check_equal(evtchn_send(port), 0);
    check_equal(received(port), 0);
    check(port_is_pending(port));
    upcalls_enable();
    check(upcalls_enabled());
    check(wait_for(received(port) == 1, 1000));
}

static volatile bool timer_came;

static void note_timer(evtchn_port_t port)
{
    timer_came = true;
}

#ifdef __x86_64__
#define MORE_REGISTERS                                                         \
    "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11), "+r"(r12), "+r"(r13), "+r"(r14), \
        "+r"(r15),
#else
#define MORE_REGISTERS
#endif

/* Spin until the timer fires; returns the registers that have changed. */
static unsigned long spin_with_known_registers(void)
{
    unsigned long a = 1, b = 2, c = 3, d = 4, si = 5, di = 6, changed;
#ifdef __x86_64__
    register unsigned long r8 asm("r8") = 8, r9 asm("r9") = 9,
                              r10 asm("r10") = 10, r11 asm("r11") = 11,
                              r12 asm("r12") = 12, r13 asm("r13") = 13,
                              r14 asm("r14") = 14, r15 asm("r15") = 15;
#endif

    asm volatile("1: cmpb $0, %[came]; je 1b"
                 : MORE_REGISTERS "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(si),
                   "+D"(di)
                 : [came] "m"(timer_came)
                 : "memory", "cc");
    changed = (a ^ 1) | (b ^ 2) | (c ^ 3) | (d ^ 4) | (si ^ 5) | (di ^ 6);
#ifdef __x86_64__
    changed |= (r8 ^ 8) | (r9 ^ 9) | (r10 ^ 10) | (r11 ^ 11) | (r12 ^ 12) |
               (r13 ^ 13) | (r14 ^ 14) | (r15 ^ 15);
#endif
    return changed;
}

TEST(boot_upcall_keeps_registers, "")
{
    unsigned int i;

    must_bind_virq(VIRQ_TIMER, 0);
    event_hook = note_timer;
    for (i = 0; i < 20; i++) {
        timer_came = false;
        require(timer_singleshot(0, system_time() + 1000000, 0) == 0);
        check_equal(spin_with_known_registers(), 0);
    }
}
