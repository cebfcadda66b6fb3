/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of cpuid.c: a processor's CPUID, and the guest's. */

#ifndef TESTS_PV_CPUID_CALLS_H
#define TESTS_PV_CPUID_CALLS_H

#include "machine.h"

#define ALL 0xffffffffu

enum { EAX, EBX, ECX, EDX };

static uint32_t asked_leaf, asked_subleaf;

/* A processor that has everything, or nothing. */
static inline void everything(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    asked_leaf = *a;
    asked_subleaf = *c;
    *a = *b = *c = *d = ALL;
}

static inline void begin(void (*cpuid)(uint32_t *a, uint32_t *b, uint32_t *c,
                                       uint32_t *d))
{
    machine_start(&(struct machine_config) { .nr_vcpus = 3 });
    machine_hooks.cpuid = cpuid;
}

static inline const uint32_t *ask_by(uint32_t leaf, uint32_t subleaf, bool forced)
{
    static uint32_t regs[4];

    regs[EAX] = leaf;
    regs[EBX] = regs[EDX] = 0xdeadbeef;
    regs[ECX] = subleaf;
    guest_cpuid(&regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX], forced);
    return regs;
}

static inline const uint32_t *ask(uint32_t leaf, uint32_t subleaf)
{
    return ask_by(leaf, subleaf, false);
}

#endif /* TESTS_PV_CPUID_CALLS_H */
