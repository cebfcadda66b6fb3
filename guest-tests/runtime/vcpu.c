/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs: which ones there are, and functions that run on them. */

#include "internal.h"

char stacks[MAX_VCPUS][STACK_SIZE] __attribute__((aligned(STACK_SIZE)));
unsigned int nr_vcpus = 1;

/* What a vCPU is to run, or NULL when it is idle. */
static struct {
    void (*volatile function)(void *opaque);
    void *opaque;
    volatile bool up, kicked;
} jobs[MAX_VCPUS];

unsigned int this_vcpu(void)
{
    return ((uintptr_t)__builtin_frame_address(0) - (uintptr_t)stacks) /
           STACK_SIZE;
}

/* The vcpu_info of vCPUs that have registered one. */
static struct vcpu_info *moved[MAX_VCPUS];

struct vcpu_info *vcpu_info_of(unsigned int vcpu)
{
    return moved[vcpu] ? moved[vcpu] : &shared_info->vcpu_info[vcpu];
}

void vcpu_info_is_at(unsigned int vcpu, struct vcpu_info *info)
{
    moved[vcpu] = info;
}

void vcpus_init(void)
{
    unsigned int vcpu;

    while (nr_vcpus < MAX_VCPUS &&
           HYPERVISOR_vcpu_op(VCPUOP_is_up, nr_vcpus, NULL) >= 0) {
        nr_vcpus++;
    }
    if (nr_vcpus == 1 || has_word(command_line, "unstarted")) {
        return;
    }
    arch_vcpus_start();
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        if (!wait_for(jobs[vcpu].up, 10000)) {
            crash("vCPU %u does not start", vcpu);
        }
    }
}

void vcpu_main(unsigned int vcpu)
{
    upcalls_enable();
    jobs[vcpu].up = true;
    for (;;) {
        void (*function)(void *) = jobs[vcpu].function;

        if (!function) {
            arch_vcpu_idle(vcpu, (void *const volatile *)&jobs[vcpu].function);
            continue;
        }
        /* The kick that wakes this vCPU must not interrupt the function. */
        while (!jobs[vcpu].kicked) {
            cpu_relax();
        }
        jobs[vcpu].kicked = false;
        function(jobs[vcpu].opaque);
        __atomic_store_n(&jobs[vcpu].function, NULL, __ATOMIC_RELEASE);
    }
}

void vcpu_start(unsigned int vcpu, void (*function)(void *), void *opaque)
{
    if (vcpu >= nr_vcpus || vcpu == this_vcpu() || jobs[vcpu].function) {
        crash("vCPU %u cannot run a function", vcpu);
    }
    jobs[vcpu].opaque = opaque;
    __atomic_store_n(&jobs[vcpu].function, function, __ATOMIC_SEQ_CST);
    arch_vcpu_kick(vcpu);
    jobs[vcpu].kicked = true;
}

bool vcpu_join(unsigned int vcpu, unsigned int milliseconds)
{
    /* Yield: the vCPU waited for may need this one's processor. */
    return wait_for(({
                        bool busy = __atomic_load_n(&jobs[vcpu].function,
                                                    __ATOMIC_ACQUIRE);

                        if (busy) {
                            sched_yield();
                        }
                        !busy;
                    }),
                    milliseconds);
}
