/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System time is the same on all vCPUs, in all areas, and for all that counts by it.
 *
 * Xen computes a scale for each processor, and again every second, so there, and in
 * its shim, times are a little apart; on KVM the host's kernel counts by other clocks.
 */

#include "guest.h"

#define MS 1000000ull

/* How far apart two times may be, in ns, that ought to be the same. */
static int64_t tolerance(void)
{
    return host_is_xen() || polls_are_the_kernels() ||
                   has_word("pv64", guest_type) ?
               MS :
               0;
}

/* By all vCPUs. */
static struct {
    uint64_t latest; /* that any of them has read */
    uint64_t back; /* the furthest that a later one was behind it */
    uint64_t end;
} seen;

/* The one atomic operation on 64 bits that 32-bit code has. */
static uint64_t exchange(uint64_t *value, uint64_t from, uint64_t to)
{
    return __sync_val_compare_and_swap(value, from, to);
}

static uint64_t load(uint64_t *value)
{
    return exchange(value, 0, 0);
}

static void raise_to(uint64_t *value, uint64_t to)
{
    uint64_t from;

    while ((from = load(value)) < to) {
        exchange(value, from, to);
    }
}

/* A time that is read once @seen.latest is known must not be before that. */
static void read_time_until(uint64_t end)
{
    uint64_t now, latest;

    do {
        latest = load(&seen.latest);
        now = system_time();
        if (now < latest) {
            raise_to(&seen.back, latest - now);
        }
        raise_to(&seen.latest, now);
    } while (now < end);
}

static void read_time(void *opaque)
{
    read_time_until(seen.end);
}

/* scripts/guest-time has it run for longer, and compares what it notes. */
TEST(time_never_goes_back, "vcpus=2")
{
    uint64_t every = command_line_number("every", 500) * MS;
    unsigned int i;

    seen.latest = 0;
    seen.back = 0;
    seen.end = system_time() + command_line_number("duration", 500) * MS;
    for (i = 1; i < nr_vcpus; i++) {
        vcpu_start(i, read_time, NULL);
    }
    do {
        read_time_until(system_time() + every);
        test_note("time %llu", (unsigned long long)system_time());
    } while (system_time() < seen.end);
    for (i = 1; i < nr_vcpus; i++) {
        check(vcpu_join(i, 10000));
    }
    test_note("%u ns back, of %u vCPUs", (unsigned int)seen.back, nr_vcpus);
    check((int64_t)seen.back <= tolerance());
}

/* A vCPU registers its own: KVM fills in that of a vCPU that sleeps when it wakes. */
static void register_area(void *area)
{
    struct vcpu_register_time_memory_area op = { .addr.p = (uintptr_t)area };

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area,
                                   this_vcpu(), &op),
                0);
}

/* The secondary time areas of two vCPUs, read by one of them. */
TEST(time_areas_agree, "vcpus=2 hvm pvh")
{
    struct vcpu_time_info *areas = page_alloc(1);
    unsigned int i, vcpu;

    register_area(&areas[0]);
    vcpu_start(1, register_area, &areas[1]);
    require(vcpu_join(1, 10000));
    for (vcpu = 0; vcpu < 2; vcpu++) {
        for (i = 0; i < 1000; i++) {
            int64_t before = system_time();
            int64_t by_area = time_by(&areas[vcpu]);
            int64_t after = system_time();

            check(by_area >= before - tolerance() &&
                  by_area <= after + tolerance());
        }
    }
    register_area(NULL);
    vcpu_start(1, register_area, NULL);
    check(vcpu_join(1, 10000));
}

/* A vCPU cannot have been in its state since a time that is yet to come. */
TEST(time_of_runstates, "hvm pvh")
{
    unsigned int i;

    for (i = 0; i < 1000; i++) {
        struct vcpu_runstate_info info = { .state = -1 };
        int64_t now;

        check_equal(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
        now = system_time();
        check((int64_t)info.state_entry_time <= now + tolerance());
    }
}

/* How long 1 << 32 ticks of the TSC are, by this area. */
static uint64_t ns_of(uint32_t mul, int8_t shift)
{
    return shift < 0 ? (uint64_t)mul >> -shift : (uint64_t)mul << shift;
}

/* Whether they differ by less than one in two thousand; or not, if they must not. */
static bool agree(uint64_t one, uint64_t other)
{
    uint64_t slack = tolerance() ? other >> 11 : 0;

    return one + slack >= other && one <= other + slack;
}

static uint64_t scale_of(unsigned int vcpu)
{
    const volatile struct vcpu_time_info *time = &vcpu_info_of(vcpu)->time;

    return ns_of(time->tsc_to_system_mul, time->tsc_shift);
}

/*
 * Linux takes the TSC's frequency from the first scale that it sees, and gives up the
 * TSC if a later one is another.
 */
TEST(time_scale_is_constant, "vcpus=2")
{
    uint64_t first = scale_of(0), end = system_time() + 1500 * MS;

    while (system_time() < end) {
        check(agree(scale_of(0), first));
        check(agree(scale_of(1), first));
        spin_for(10);
    }
    test_note("%llu ns in 2^32 ticks", (unsigned long long)first);
}

#ifdef GUEST_HVM

/* Names that not every version of Xen's headers has. */
#define TSC_EMULATED 1
#define MODE_ALWAYS_EMULATE 1
#define MODE_NEVER_EMULATE 2

#define NS_PER_MS 1000000ull

/* What CPUID tells of the TSC, and vcpu_time_info. */
TEST(time_leaf, "hvm pvh")
{
    const struct vcpu_time_info *time = &vcpu_info_of(0)->time;
    uint64_t ns = ns_of(time->tsc_to_system_mul, time->tsc_shift);
    struct cpuid leaf = xen_cpuid(3, 0);
    uint32_t khz = leaf.c;

    test_note("TSC: flags 0x%x, mode %u, %u kHz, incarnation %u", leaf.a,
              leaf.b, leaf.c, leaf.d);
    test_note("vcpu_time_info: multiplier %u, shift %d, flags %u",
              time->tsc_to_system_mul, time->tsc_shift, time->flags);
    check(leaf.b <= MODE_NEVER_EMULATE);
    check(leaf.b != MODE_ALWAYS_EMULATE || leaf.a & TSC_EMULATED);
    check(agree(ns * khz, NS_PER_MS << 32));

    leaf = xen_cpuid(3, 1);
    check(agree(ns_of(leaf.c, leaf.d), ns));
    /* An emulated TSC has no offset to add. */
    check(!(xen_cpuid(3, 0).a & TSC_EMULATED) || (leaf.a == 0 && leaf.b == 0));

    check(xen_cpuid(3, 2).a > 0);
    leaf = xen_cpuid(3, 3);
    check_equal(leaf.a | leaf.b | leaf.c | leaf.d, 0);
    check(tolerance() || time->flags & XEN_PVCLOCK_TSC_STABLE_BIT);
}

#endif /* GUEST_HVM */
