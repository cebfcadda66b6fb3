/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tlb.c: what has been asked of a vCPU is done before its guest goes on. */

#include "tables.h"

static void test_enter(void)
{
    struct vcpu *v;
    unsigned int before;

    machine_start(&(struct machine_config) { .isolated = true });
    v = this_vcpu();
    leave_guest(v);
    g_assert_false(v->in_guest);
    before = loads(0);
    enter_guest(v);
    g_assert_true(v->in_guest);
    g_assert_cmpuint(loads(0), ==, before);
    leave_guest(v);
    v->flush_pending = true;
    v->exit_cr3 = 0x1000;
    enter_guest(v);
    g_assert_true(v->in_guest);
    g_assert_false(v->flush_pending);
    g_assert_cmpuint(loads(0), ==, before + 1);
    g_assert_cmphex(machine_processors[0].cr3, ==, v->kernel_top << PAGE_SHIFT);
    /* As its mode's tables, maybe isolated ones, are then. */
    g_assert_cmphex(v->exit_cr3, ==, 0);
}

/* Another one asks again while it flushes, for which it does not wait. */
static unsigned int nr_more;

static void ask_again(void)
{
    g_assert_false(this_vcpu()->in_guest);
    if (nr_more) {
        nr_more--;
        this_vcpu()->flush_pending = true;
    }
}

static void test_asked_again(void)
{
    unsigned int before;

    machine_start(&(struct machine_config) { 0 });
    leave_guest(this_vcpu());
    machine_hooks.cr3_load = ask_again;
    nr_more = 3;
    before = loads(0);
    this_vcpu()->flush_pending = true;
    enter_guest(this_vcpu());
    g_assert_cmpuint(loads(0), ==, before + 4);
    g_assert_true(this_vcpu()->in_guest);
    g_assert_false(this_vcpu()->flush_pending);
}

/* What the guest sees while it is in the monitor, and after. */
static void test_trap(void)
{
    struct regs regs;
    struct vcpu *v;
    unsigned int before;

    machine_start(&(struct machine_config) { 0 });
    v = this_vcpu();
    g_assert_true(v->in_guest);
    v->flush_pending = true;
    before = loads(0);
    regs = machine_trapped(VECTOR_KICK, 0);
    trap(&regs);
    g_assert_true(v->in_guest);
    g_assert_false(v->flush_pending);
    g_assert_cmpuint(loads(0), ==, before + 1);
    regs = machine_trapped(VECTOR_KICK, 0);
    trap(&regs);
    g_assert_cmpuint(loads(0), ==, before + 1);
}

/*
 * Of the mode that it is in, with the monitor's entries, whatever the guest has put
 * there.
 */
static void test_load(void)
{
    struct machine_processor *p = &machine_processors[0];
    struct vcpu *v;
    uint64_t user;

    machine_start(&(struct machine_config) { 0 });
    v = this_vcpu();
    user = machine_frame();
    g_assert_cmpint(set_user_top(v, user), ==, 0);
    p->cr3 = 0;
    load_cr3(v);
    g_assert_cmphex(p->cr3, ==, v->kernel_top << PAGE_SHIFT);
    entries_of(user)[FIRST_SLOT + 5] = 0;
    v->kernel_mode = false;
    flush_local(v);
    g_assert_cmphex(p->cr3, ==, user << PAGE_SHIFT);
    g_assert_cmphex(entries_of(user)[FIRST_SLOT + 5], ==, boot->slots[5]);
    g_assert_cmphex(entries_of(user)[FIRST_SLOT], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/enter_guest/enter", test_enter);
    machine_test("/monitor/enter_guest/asked-again", test_asked_again);
    machine_test("/monitor/enter_guest/trap", test_trap);
    machine_test("/monitor/enter_guest/load", test_load);
    return g_test_run();
}
