/* SPDX-License-Identifier: GPL-2.0-or-later */
/* l0_ports.c: the events of channels to back ends, and their resets. */

#include "l0_port_calls.h"

#include <xen/hvm/hvm_op.h>

/* Events --------------------------------------------------------------------------- */

static void test_raise(void)
{
    uint32_t high = 0, port;
    vcpu_info_t *info;

    machine_start(&own);
    info = this_vcpu()->info;
    while (high < 200) {
        high = bind_ipi(0);
    }
    high = alloc_unbound(0);
    machine_l0_raise(1, 0);
    machine_l0_raise(2, 0);
    machine_l0_raise(high, 0);
    /* A placeholder: nothing comes of it. */
    machine_l0_raise(70, 0);
    g_assert_false(is_pending(1));
    take_interrupts();
    for (port = 1; port <= high; port++) {
        g_assert_cmpint(is_pending(port), ==,
                        port <= 2 || port == high);
    }
    g_assert_cmphex(info->evtchn_pending_sel, ==, 1 | 1ul << high / 64);
    g_assert_cmpuint(info->evtchn_upcall_pending, ==, 1);
    /* L0's bits are taken: nothing comes twice. */
    g_assert_cmphex(this_vcpu()->l0_info->evtchn_pending_sel, ==, 0);
    g_assert_cmpuint(this_vcpu()->l0_info->evtchn_upcall_pending, ==, 0);
    take_event(1);
    take_event(2);
    take_event(high);
    machine_interrupt(0, VECTOR_UPCALL);
    take_interrupts();
    g_assert_cmpuint(info->evtchn_upcall_pending, ==, 0);
    machine_l0_raise(1, 0);
    take_interrupts();
    g_assert_true(is_pending(1));
    g_assert_false(is_pending(2));
}

/* Without L0's flag its bits are not looked at. */
static void test_no_upcall(void)
{
    machine_start(&own);
    machine_l0_raise(1, 0);
    this_vcpu()->l0_info->evtchn_upcall_pending = 0;
    take_interrupts();
    g_assert_false(is_pending(1));
    this_vcpu()->l0_info->evtchn_upcall_pending = 1;
    machine_interrupt(0, VECTOR_UPCALL);
    take_interrupts();
    g_assert_true(is_pending(1));
}

/* The guest's masks are not L0's. */
static void test_masked(void)
{
    machine_start(&own);
    set_masked(1, true);
    machine_l0_raise(1, 0);
    take_interrupts();
    g_assert_true(is_pending(1));
    g_assert_cmpuint(this_vcpu()->info->evtchn_upcall_pending, ==, 0);
}

/* A mask in L0's page, from whoever had the number before. */
static void test_masked_in_l0(void)
{
    shared_info_t *l0;

    machine_start(&own);
    l0 = frame(boot->l0_shared_info_mfn);
    l0->evtchn_mask[0] = ~0ul;
    g_assert_cmpuint(alloc_unbound(0), ==, 3);
    g_assert_cmphex(l0->evtchn_mask[0], ==, ~(1ul << 3));
    machine_l0_raise(3, 0);
    take_interrupts();
    g_assert_true(is_pending(3));
}

/* An event that came just before the port was closed is not the next one's. */
static void test_stale(void)
{
    machine_start(&own);
    machine_l0_raise(1, 0);
    machine_l0_raise(2, 0);
    g_assert_cmpint(close_port(1), ==, 0);
    g_assert_cmpuint(alloc_unbound(0), ==, 1);
    take_interrupts();
    g_assert_false(is_pending(1));
    g_assert_true(is_pending(2));
}

/* The events of a port that has moved go to the vCPU to which it has. */
static void test_other_vcpu(void)
{
    machine_start(&own);
    start_other_vcpu(1);
    g_assert_cmpint(move_to(1, 1), ==, 0);
    g_assert_cmpuint(machine_l0.ports[1].vcpu, ==, 1);
    machine_l0_raise(1, 1);
    machine_switch(1);
    take_interrupts();
    g_assert_true(is_pending(1));
    g_assert_cmpuint(vcpu_by_id(1)->info->evtchn_upcall_pending, ==, 1);
    g_assert_cmpuint(vcpu_by_id(0)->info->evtchn_upcall_pending, ==, 0);
}

static void test_fifo(void)
{
    struct evtchn_init_control init = { .vcpu = 0 };
    struct evtchn_expand_array expand;
    struct evtchn_fifo_control_block *control;
    uint32_t *words, port;

    machine_start(&own_fifo);
    init.control_gfn = machine_frame();
    expand.array_gfn = machine_frame();
    control = frame(init.control_gfn);
    words = frame(expand.array_gfn);
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_init_control, &init), ==, 0);
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==, 0);
    port = alloc_unbound(0);
    machine_l0_raise(port, 0);
    take_interrupts();
    g_assert_cmphex(words[port], ==, 1u << EVTCHN_FIFO_PENDING |
                                     1u << EVTCHN_FIFO_LINKED);
    g_assert_cmphex(control->ready, ==, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    g_assert_cmpuint(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], ==, port);
    g_assert_cmpuint(this_vcpu()->info->evtchn_upcall_pending, ==, 1);
    g_assert_false(is_pending(port));
    /* The next is behind it. */
    machine_l0_raise(1, 0);
    take_interrupts();
    g_assert_cmphex(words[port], ==, 1u << EVTCHN_FIFO_PENDING |
                                     1u << EVTCHN_FIFO_LINKED | 1);
    /* Masked: pending alone. */
    words[2] = 1u << EVTCHN_FIFO_MASKED;
    machine_l0_raise(2, 0);
    take_interrupts();
    g_assert_cmphex(words[2], ==, 1u << EVTCHN_FIFO_PENDING |
                                  1u << EVTCHN_FIFO_MASKED);
}

/* Resets --------------------------------------------------------------------------- */

static void test_reset(void)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t port;

    machine_start(&own);
    for (port = 0; port < 100;) {
        port = bind_ipi(0);
    }
    g_assert_cmpuint(alloc_unbound(0), ==, 101);
    machine_l0_raise(101, 0);
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_reset, &reset), ==, 0);
    g_assert_cmpuint(nr_used(), ==, 0);
    for (port = 0; port < 200; port++) {
        g_assert_false(is_l0_port(port));
    }
    /* Numbers are equal from the first on, and what came before is over. */
    while (bind_ipi(0) < 100) {
    }
    g_assert_cmpuint(alloc_unbound(0), ==, 101);
    g_assert_cmpuint(nr_used(), ==, 101);
    take_interrupts();
    g_assert_false(is_pending(101));
    machine_l0_raise(101, 0);
    take_interrupts();
    g_assert_true(is_pending(101));
}

/* Anything in any order ------------------------------------------------------------ */

enum kind { FREE, IPI, BACK_END };

static enum kind kinds[64];
static unsigned int sends[64];

static uint32_t lowest_free(void)
{
    uint32_t port = 1;

    while (kinds[port] != FREE) {
        port++;
    }
    return port;
}

static void bind_one(enum kind kind)
{
    uint32_t port, expected = lowest_free();

    if (expected == G_N_ELEMENTS(kinds) - 1) {
        return;
    }
    if (kind == IPI) {
        port = bind_ipi(g_test_rand_int_range(0, 2));
    } else if (g_test_rand_int_range(0, 2)) {
        port = alloc_unbound(0);
    } else {
        g_assert_cmpint(try_interdomain(0, 1, &port), ==, 0);
    }
    g_assert_cmpuint(port, ==, expected);
    take_event(port);
    kinds[port] = kind;
    sends[port] = 0;
}

static void use_one(uint32_t port)
{
    g_assert_cmpint(send_to(port), ==, kinds[port] ? 0 : -XEN_EINVAL);
    g_assert_cmpint(take_event(port), ==, kinds[port] == IPI);
    sends[port] += kinds[port] == BACK_END;
    if (kinds[port] == BACK_END) {
        g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, sends[port]);
    }
    if (machine_l0.ports[port].used) {
        machine_l0_raise(port, 0);
        take_interrupts();
        g_assert_cmpint(take_event(port), ==, kinds[port] == BACK_END);
    }
}

static void reset_all(void)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };

    g_assert_cmpint(EVENT_CALL(EVTCHNOP_reset, &reset), ==, 0);
    memset(kinds, 0, sizeof(kinds));
}

static void test_random(void)
{
    bool backed[G_N_ELEMENTS(kinds)];
    unsigned int i, j;
    uint32_t port;

    machine_start(&own);
    kinds[1] = kinds[2] = BACK_END;
    for (i = 0; i < 6000; i++) {
        port = g_test_rand_int_range(1, G_N_ELEMENTS(kinds));
        switch (g_test_rand_int_range(0, 8)) {
        case 0 ... 1:
            bind_one(IPI);
            break;
        case 2:
            bind_one(BACK_END);
            break;
        case 3 ... 4:
            g_assert_cmpint(close_port(port), ==,
                            kinds[port] ? 0 : -XEN_EINVAL);
            kinds[port] = FREE;
            break;
        case 5:
            g_assert_cmpint(try_interdomain(7, 1, &port), ==, -XEN_ESRCH);
            break;
        case 6:
            if (!g_test_rand_int_range(0, 100)) {
                reset_all();
            }
            break;
        default:
            use_one(port);
        }
        for (j = 0; j < G_N_ELEMENTS(kinds); j++) {
            backed[j] = kinds[j] == BACK_END;
        }
        check_ports(backed, G_N_ELEMENTS(kinds));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/l0_port_events/raise", test_raise);
    machine_test("/monitor/l0_port_events/no-upcall", test_no_upcall);
    machine_test("/monitor/l0_port_events/masked", test_masked);
    machine_test("/monitor/l0_port_events/masked-in-l0", test_masked_in_l0);
    machine_test("/monitor/l0_port_events/stale", test_stale);
    machine_test("/monitor/l0_port_events/other-vcpu", test_other_vcpu);
    machine_test("/monitor/l0_port_events/fifo", test_fifo);
    machine_test("/monitor/l0_port_events/reset", test_reset);
    machine_test("/monitor/l0_port_events/random", test_random);
    return g_test_run();
}
