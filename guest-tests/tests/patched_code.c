/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU 0 changes an instruction that vCPU 1 runs all the time, as Linux does for
 * its static keys: once vCPU 0 has told vCPU 1 of the change, and vCPU 1 has run a
 * serializing instruction, it must run the new one.  An emulator may have kept what
 * it made of the old.  The ABI has no part in it.
 */

#include "../runtime/guest.h"

#define ROUNDS 20000
#define MIN_ROUNDS 300
/* On a busy host a round may wait for a processor, twice. */
#define MAX_SECONDS 5

/* mov $number, %eax; ret -- with the number aligned, so that a store of it is atomic. */
struct code {
    uint8_t align[3];
    uint8_t mov;
    volatile uint32_t number;
    uint8_t ret;
};

/* Of two functions in a page the second is not changed: there always is code. */
static struct code *code;
static bool run_both;
static volatile uint32_t told;
static volatile bool stop;
static volatile unsigned int stale, calls;

static uint32_t call(const struct code *function)
{
    return ((uint32_t(*)(void))(uintptr_t)&function->mov)();
}

static void serialize(void)
{
    uint32_t leaf = 0, b, c = 0, d;

    asm volatile("cpuid" : "+a"(leaf), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

static void run_code(void *opaque)
{
    (void)opaque;
    while (!stop) {
        uint32_t least = told;

        serialize();
        stale += call(&code[0]) < least;
        if (run_both) {
            call(&code[1]);
        }
        calls = calls + 1;
    }
}

static void patch(bool both)
{
    uint64_t end;
    uint32_t i;

    code = page_alloc(1);
    for (i = 0; i < 2; i++) {
        code[i] = (struct code){ .mov = 0xb8, .ret = 0xc3 };
    }
    run_both = both;
    told = stale = calls = 0;
    stop = false;
    vcpu_start(1, run_code, NULL);
    require(wait_for(calls > 0, 5000));
    end = system_time() + MAX_SECONDS * 1000000000ull;
    for (i = 1; i <= ROUNDS && system_time() < end; i++) {
        unsigned int before;

        code[0].number = i;
        told = i;
        for (before = calls; calls - before < 2;) {
            cpu_relax();
        }
    }
    stop = true;
    require(vcpu_join(1, 5000));
    check(i > MIN_ROUNDS);
    check_equal(stale, 0);
}

TEST(code_patched_on_a_page_of_its_own, "tcg 2l vcpus=2 seconds=30")
{
    patch(false);
}

TEST(code_patched_beside_other_code, "tcg 2l vcpus=2 seconds=30")
{
    patch(true);
}
