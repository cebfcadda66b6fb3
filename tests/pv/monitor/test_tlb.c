/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tlb.c: who flushes, who is kicked for it, and who is waited for.  One thread is all
 * vCPUs in turn: the other one takes its kick as soon as it is sent, but in test_waits().
 */

#include "tables.h"

enum { NR_VCPUS = MACHINE_MAX_VCPUS };

/* The vCPU takes the kick, or whatever came, and enters the guest again. */
static void take_interrupt(unsigned int id, unsigned int vector)
{
    struct vcpu *sender = this_vcpu();
    struct regs regs = machine_trapped(vector, 0);

    machine_switch(id);
    trap(&regs);
    machine_switch(sender->id);
}

/* The others have begun, with the kernel's tables of vCPU 0, and are in the monitor. */
static void begin_others(void)
{
    unsigned int id;

    for (id = 1; id < boot->nr_vcpus; id++) {
        struct vcpu *v = vcpu_by_id(id);

        v->kernel_mode = v->initialised = v->started = true;
        v->state = VCPU_UP;
        v->kernel_top = kernel_top();
        v->apic_id = id;
    }
    machine_hooks.interrupt = take_interrupt;
}

/* Who flushes ---------------------------------------------------------------------- */

/* The mask has a bit for each vCPU, and counts only as far as there are vCPUs. */
static void test_masks(void)
{
    static const uint64_t masks[] = { 0, 1, 2, 0x80, 0x81, 0x55, 0xff, ~0xfful,
                                      ~0ul };
    unsigned int i, id;
    uint64_t at;

    machine_start(&(struct machine_config) { .nr_vcpus = NR_VCPUS });
    begin_others();
    at = machine_put(masks, sizeof(masks));
    for (i = 0; i < G_N_ELEMENTS(masks); i++) {
        unsigned int before = loads(0);

        for (id = 0; id < NR_VCPUS; id++) {
            vcpu_by_id(id)->flush_pending = false;
        }
        g_assert_cmpint(flush_many(this_vcpu(), at + i * 8), ==, 0);
        /* The own TLB in any case. */
        g_assert_cmpuint(loads(0), >, before);
        for (id = 0; id < NR_VCPUS; id++) {
            g_assert_true(vcpu_by_id(id)->flush_pending ==
                          (id && masks[i] >> id & 1));
        }
    }
    for (id = 0; id < NR_VCPUS; id++) {
        vcpu_by_id(id)->flush_pending = false;
    }
    flush_all(this_vcpu());
    for (id = 0; id < NR_VCPUS; id++) {
        g_assert_true(vcpu_by_id(id)->flush_pending == !!id);
    }
}

/* From another one it is vCPU 0 that may be meant. */
static void test_sender(void)
{
    machine_start(&(struct machine_config) { .nr_vcpus = 3 });
    begin_others();
    leave_guest(vcpu_by_id(0));
    machine_switch(2);
    flush_all(this_vcpu());
    g_assert_true(vcpu_by_id(0)->flush_pending);
    g_assert_true(vcpu_by_id(1)->flush_pending);
    g_assert_false(vcpu_by_id(2)->flush_pending);
    g_assert_cmpuint(loads(2), >, 0);
}

/*
 * No more of the mask is read than there are vCPUs: a byte may be the last of its page.
 */
static void test_end_of_mask(void)
{
    static const struct {
        uint64_t at;
        long result;
    } cases[] = {
        { VA + PAGE_SIZE - 1, 0 },       { VA + PAGE_SIZE, -XEN_EFAULT },
        { MONITOR_VA, -XEN_EFAULT },     { DIRECTMAP_VA, -XEN_EFAULT },
        { HYPERVISOR_END - 1, -XEN_EFAULT }, { 0x0000800000000000, -XEN_EFAULT },
    };
    unsigned int i, before;
    uint64_t page;

    machine_start(&(struct machine_config) { .nr_vcpus = NR_VCPUS });
    begin_others();
    page = map_page();
    ((uint8_t *)frame(page))[PAGE_SIZE - 1] = 0x90;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        vcpu_by_id(4)->flush_pending = vcpu_by_id(5)->flush_pending = false;
        vcpu_by_id(7)->flush_pending = false;
        before = loads(0);
        g_assert_cmpint(flush_many(this_vcpu(), cases[i].at), ==,
                        cases[i].result);
        g_assert_true(vcpu_by_id(4)->flush_pending == !cases[i].result);
        g_assert_true(vcpu_by_id(7)->flush_pending == !cases[i].result);
        g_assert_false(vcpu_by_id(5)->flush_pending);
        g_assert_true((loads(0) > before) == !cases[i].result);
    }
}

/* With one vCPU there is a byte, too. */
static void test_alone(void)
{
    const uint64_t mask = 2;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    g_assert_cmpint(flush_many(this_vcpu(), VA + PAGE_SIZE), ==, -XEN_EFAULT);
    g_assert_cmpint(flush_many(this_vcpu(), machine_put(&mask, 8)), ==, 0);
    flush_all(this_vcpu());
    g_assert_false(this_vcpu()->flush_pending);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 0);
}

/* Kicks ---------------------------------------------------------------------------- */

static void test_kick(void)
{
    machine_start(&(struct machine_config) { .nr_vcpus = 3 });
    begin_others();
    machine_hooks.interrupt = NULL;
    vcpu_by_id(2)->apic_id = 1;
    kick(vcpu_by_id(2));
    g_assert_cmphex(*machine_msr(MSR_X2APIC_ICR), ==, 1ul << 32 | VECTOR_KICK);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 1);
    g_assert_cmphex(machine_processors[1].vectors[VECTOR_KICK / 64], ==,
                    1ul << VECTOR_KICK % 64);
}

static void test_who_is_kicked(void)
{
    enum { IN_GUEST = 1, NOT_STARTED, NOT_MEANT };
    static const struct {
        unsigned int what;
        bool kicked, pending;
    } cases[] = {
        { 0, false, true },             /* it flushes when it goes on */
        { IN_GUEST, true, false },      /* it has done so */
        { NOT_STARTED, false, false },
        { NOT_MEANT, false, false },
    };
    const uint64_t mask = ~2ul;
    unsigned int i, before, kicks;
    struct vcpu *v;
    uint64_t at;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    begin_others();
    at = machine_put(&mask, sizeof(mask));
    v = vcpu_by_id(1);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        v->flush_pending = false;
        v->started = cases[i].what != NOT_STARTED;
        v->in_guest = cases[i].what == IN_GUEST || cases[i].what == NOT_MEANT;
        before = loads(1);
        kicks = machine_processors[0].nr_kicks;
        if (cases[i].what == NOT_MEANT) {
            g_assert_cmpint(flush_many(this_vcpu(), at), ==, 0);
        } else {
            flush_all(this_vcpu());
        }
        g_assert_true(machine_processors[0].nr_kicks - kicks == cases[i].kicked);
        g_assert_true(v->flush_pending == cases[i].pending);
        g_assert_true((loads(1) > before) == cases[i].kicked);
    }
}

/* All are told before any is waited for: else they would wait one after another. */
static unsigned int nr_told;

static void take_when_all_are_told(unsigned int id, unsigned int vector)
{
    unsigned int other;

    g_assert_cmpuint(vector, ==, VECTOR_KICK);
    g_assert_true(vcpu_by_id(id)->flush_pending);
    if (++nr_told < 3) {
        return;
    }
    for (other = 1; other < boot->nr_vcpus; other++) {
        take_interrupt(other, vector);
    }
}

static void test_all_are_told_first(void)
{
    unsigned int id;

    machine_start(&(struct machine_config) { .nr_vcpus = 4 });
    begin_others();
    machine_hooks.interrupt = take_when_all_are_told;
    for (id = 1; id < 4; id++) {
        vcpu_by_id(id)->in_guest = true;
    }
    flush_all(this_vcpu());
    g_assert_cmpuint(nr_told, ==, 3);
    for (id = 1; id < 4; id++) {
        g_assert_false(vcpu_by_id(id)->flush_pending);
        g_assert_cmpuint(loads(id), >, 0);
    }
}

/*
 * Not meant, and the sender itself: they need not flush for it, whatever else they are
 * at.
 */
static void test_who_is_not_waited_for(void)
{
    const uint64_t mask = 1;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    begin_others();
    vcpu_by_id(0)->in_guest = vcpu_by_id(0)->flush_pending = true;
    vcpu_by_id(1)->in_guest = vcpu_by_id(1)->flush_pending = true;
    g_assert_cmpint(flush_many(this_vcpu(), machine_put(&mask, sizeof(mask))), ==,
                    0);
    g_assert_true(vcpu_by_id(1)->flush_pending);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 0);
}

/* A vCPU that takes its time. */
static gpointer take_kick_late(gpointer unused G_GNUC_UNUSED)
{
    struct regs regs;
    unsigned int i;

    machine_switch(1);
    regs = machine_trapped(VECTOR_KICK, 0);
    for (i = 0; i < 1000; i++) {
        g_thread_yield();
    }
    trap(&regs);
    return NULL;
}

static GThread *late;

static void begin_late(unsigned int id G_GNUC_UNUSED,
                       unsigned int vector G_GNUC_UNUSED)
{
    late = g_thread_new("late", take_kick_late, NULL);
}

static void test_waits(void)
{
    unsigned int i;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    begin_others();
    machine_hooks.interrupt = begin_late;
    for (i = 1; i <= 20; i++) {
        vcpu_by_id(1)->in_guest = true;
        flush_all(this_vcpu());
        /* It has either flushed, or left the guest and will. */
        g_assert_true(!__atomic_load_n(&vcpu_by_id(1)->flush_pending,
                                       __ATOMIC_SEQ_CST) ||
                      !__atomic_load_n(&vcpu_by_id(1)->in_guest,
                                       __ATOMIC_SEQ_CST));
        g_thread_join(late);
        g_assert_cmpuint(loads(1), ==, i);
    }
}

/* Two that flush each other: neither is in the guest, so neither waits. */
static void flush_back(unsigned int id, unsigned int vector)
{
    struct vcpu *sender = this_vcpu();
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);

    /* It was at a hypercall already when the kick came, which it takes later. */
    machine_switch(id);
    leave_guest(this_vcpu());
    machine_hooks.interrupt = take_interrupt;
    flush_all(this_vcpu());
    g_assert_true(sender->flush_pending);
    g_assert_true(this_vcpu()->flush_pending);
    regs.vector = vector;
    trap(&regs);
    g_assert_false(this_vcpu()->flush_pending);
    machine_switch(sender->id);
}

static void test_each_other(void)
{
    unsigned int before;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    begin_others();
    leave_guest(vcpu_by_id(0));
    machine_hooks.interrupt = flush_back;
    vcpu_by_id(1)->in_guest = true;
    flush_all(this_vcpu());
    g_assert_cmpuint(loads(1), >=, 2);
    g_assert_cmpuint(machine_processors[1].nr_kicks, ==, 0);
    g_assert_true(this_vcpu()->flush_pending);
    before = loads(0);
    enter_guest(this_vcpu());
    g_assert_cmpuint(loads(0), ==, before + 1);
    g_assert_false(this_vcpu()->flush_pending);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/tlb/masks", test_masks);
    machine_test("/monitor/tlb/sender", test_sender);
    machine_test("/monitor/tlb/end-of-mask", test_end_of_mask);
    machine_test("/monitor/tlb/alone", test_alone);
    machine_test("/monitor/tlb/kick", test_kick);
    machine_test("/monitor/tlb/who-is-kicked", test_who_is_kicked);
    machine_test("/monitor/tlb/all-are-told-first", test_all_are_told_first);
    machine_test("/monitor/tlb/who-is-not-waited-for", test_who_is_not_waited_for);
    machine_test("/monitor/tlb/waits", test_waits);
    machine_test("/monitor/tlb/each-other", test_each_other);
    return g_test_run();
}
