/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l0_ports.c: channels to back ends have the same number in L0 as in the guest, whatever
 * the guest binds and closes.
 */

#include "l0_port_calls.h"

#include <xen/hvm/hvm_op.h>

/* The start ------------------------------------------------------------------------ */

static bool has_no_back_ends(const struct pv_call *call, long *result)
{
    *result = -XEN_EINVAL;
    return call->number == __HYPERVISOR_hvm_op &&
           call->args[0] == HVMOP_get_param;
}

/* A machine that has no ports yet. */
static void start_without(const struct machine_config *config)
{
    machine_hooks.l0 = has_no_back_ends;
    machine_start(config);
    machine_hooks.l0 = NULL;
    machine_l0.ports[1].used = machine_l0.ports[2].used = false;
}

static void test_adopt(void)
{
    static const struct {
        uint32_t ports[3];
        bool backed[8];
        unsigned int nr_used;
    } cases[] = {
        { { 1, 2 }, { [1] = true, [2] = true }, 2 },
        { { 1, 0 }, { [1] = true }, 1 },
        { { 0, 0 }, { false }, 0 },
        /* Those in between are placeholders. */
        { { 5, 3 }, { [3] = true, [5] = true }, 5 },
        { { 3, 3 }, { [3] = true }, 3 },
        /* What can be no port is none. */
        { { 2, 4096, ~0u }, { [2] = true }, 2 },
    };
    unsigned int i, j;

    start_without(&own);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (j = 0; j < 3; j++) {
            if (cases[i].ports[j] && cases[i].ports[j] < NR_2L_PORTS) {
                machine_l0.ports[cases[i].ports[j]].used = true;
            }
        }
        adopt_l0_ports(cases[i].ports, 3);
        check_ports(cases[i].backed, 8);
        g_assert_cmpuint(nr_used(), ==, cases[i].nr_used);
        g_assert_false(is_l0_port(4096));
        g_assert_false(is_l0_port(~0u));
        /* The guest has them as its own. */
        for (j = 1; j < 8; j++) {
            g_assert_cmpint(close_port(j), ==,
                            cases[i].backed[j] ? 0 : -XEN_EINVAL);
        }
        g_assert_true(begin_l0_reset());
        end_l0_reset();
    }
}

static void test_adopt_others(void)
{
    start_without(&own);
    machine_l0.ports[2].used = true;
    machine_l0.ports[4].used = true;
    /* Port 2 is L0's, but not the guest's. */
    machine_assert_ends(adopt_l0_ports((const uint32_t[]){ 4 }, 1));
    machine_assert_said("L0 has other ports than the guest's");
}

/* The last port there can be. */
static void test_adopt_last(void)
{
    start_without(&own);
    machine_l0.ports[4095].used = true;
    adopt_l0_ports((const uint32_t[]){ 4095 }, 1);
    g_assert_cmpuint(nr_used(), ==, 4095);
    g_assert_true(is_l0_port(4095));
    g_assert_false(is_l0_port(4094));
    machine_l0_raise(4095, 0);
    take_interrupts();
    g_assert_true(is_pending(4095));
}

/* Binding -------------------------------------------------------------------------- */

static void test_bind(void)
{
    uint32_t ipis[5], port, i;

    machine_start(&own);
    for (i = 0; i < 5; i++) {
        ipis[i] = bind_ipi(1);
        g_assert_cmpuint(ipis[i], ==, 3 + i);
    }
    /* L0 does not know of IPIs. */
    g_assert_cmpuint(nr_used(), ==, 2);
    port = alloc_unbound(0);
    g_assert_cmpuint(port, ==, 8);
    g_assert_true(machine_l0.ports[8].used);
    g_assert_cmpuint(nr_used(), ==, 8);
    for (i = 0; i < 5; i++) {
        g_assert_cmpuint(machine_l0.ports[ipis[i]].vcpu, ==, 0);
        g_assert_false(is_l0_port(ipis[i]));
    }
    /* A number below the highest: in place of a placeholder. */
    g_assert_cmpint(close_port(ipis[1]), ==, 0);
    g_assert_cmpint(try_interdomain(0, 1, &port), ==, 0);
    g_assert_cmpuint(port, ==, ipis[1]);
    g_assert_true(is_l0_port(port));
    g_assert_cmpuint(nr_used(), ==, 8);
    /* The next above it needs none. */
    g_assert_cmpuint(alloc_unbound(0), ==, 9);
    g_assert_cmpuint(nr_used(), ==, 9);
    /* L0 knows the state. */
    g_assert_cmpuint(status_of(9).status, ==, EVTCHNSTAT_interdomain);
}

/* What the peer has sent before bind_interdomain is not lost; a new port has no event. */
static void test_first_event(void)
{
    uint32_t port;

    machine_start(&own);
    g_assert_cmpint(try_interdomain(0, 1, &port), ==, 0);
    g_assert_true(is_pending(port));
    g_assert_cmpuint(this_vcpu()->info->evtchn_upcall_pending, ==, 1);
    take_event(port);
    port = alloc_unbound(0);
    g_assert_false(is_pending(port));
    g_assert_cmpuint(this_vcpu()->info->evtchn_upcall_pending, ==, 0);
}

/* L0 refuses: numbers are as before. */
static void test_refused(void)
{
    uint32_t port, low, high;
    unsigned int i;

    machine_start(&own);
    low = bind_ipi(0);
    g_assert_cmpuint(alloc_unbound(0), ==, low + 1);
    high = low + 2;
    for (i = 0; i < 3; i++) {
        /* Above the highest, and in a placeholder's place. */
        g_assert_cmpint(try_interdomain(7, 1, &port), ==, -XEN_ESRCH);
        g_assert_false(is_l0_port(high));
        g_assert_cmpint(close_port(low), ==, 0);
        g_assert_cmpint(try_interdomain(7, 1, &port), ==, -XEN_ESRCH);
        g_assert_false(is_l0_port(low));
        g_assert_true(machine_l0.ports[low].used);
        g_assert_cmpuint(nr_used(), ==, 4);
        g_assert_cmpint(close_port(low), ==, -XEN_EINVAL);
        g_assert_cmpuint(bind_ipi(0), ==, low);
    }
    g_assert_cmpuint(alloc_unbound(0), ==, high);
    g_assert_true(machine_l0.ports[high].used);
}

static bool no_ipis, other_port;

static bool answer(const struct pv_call *call, long *result)
{
    void *arg = (void *)call->args[1];

    if (call->number != __HYPERVISOR_event_channel_op) {
        return false;
    }
    if (no_ipis && call->args[0] == EVTCHNOP_bind_ipi) {
        *result = -XEN_ENOSPC;
        return true;
    }
    if (other_port && call->args[0] == EVTCHNOP_alloc_unbound) {
        ((struct evtchn_alloc_unbound *)arg)->port = 99;
        *result = 0;
        return true;
    }
    return false;
}

/* No room for placeholders: the guest may try again. */
static void test_no_place(void)
{
    uint32_t port;
    unsigned int i;

    machine_start(&own);
    machine_hooks.l0 = answer;
    bind_ipi(0);
    bind_ipi(0);
    no_ipis = true;
    for (i = 0; i < 2; i++) {
        g_assert_cmpint(try_alloc(0, &port), ==, -XEN_ENOSPC);
        g_assert_cmpuint(nr_used(), ==, 2);
    }
    no_ipis = false;
    g_assert_cmpuint(alloc_unbound(0), ==, 5);
    g_assert_cmpuint(nr_used(), ==, 5);
}

/* A port of L0's own is in the way of a placeholder. */
static void test_place_is_taken(void)
{
    uint32_t port;

    machine_start(&own);
    bind_ipi(0);
    bind_ipi(0);
    machine_l0.ports[3].used = true;
    g_assert_cmpint(try_alloc(0, &port), ==, -XEN_ENOSPC);
    g_assert_false(is_l0_port(5));
}

static void test_other_number(void)
{
    uint32_t port;

    machine_start(&own);
    machine_hooks.l0 = answer;
    other_port = true;
    machine_assert_ends(try_alloc(0, &port));
    machine_assert_said("L0 bound port 99 for port 3");
}

static void test_lost_place(void)
{
    machine_start(&own);
    machine_hooks.l0 = answer;
    no_ipis = true;
    machine_assert_ends(close_port(1));
    machine_assert_said("L0 has lost the place of port 1");
}

/* In the model there may be more ports than in L0. */
static void test_most(void)
{
    struct evtchn_init_control init = { .vcpu = 0 };
    struct evtchn_expand_array expand;
    uint32_t port = 0;
    unsigned int i;

    machine_start(&own_fifo);
    init.control_gfn = machine_frame();
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_init_control, &init), ==, 0);
    for (i = 0; i < 5; i++) {
        expand.array_gfn = machine_frame();
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==, 0);
    }
    while (port < 4094) {
        port = bind_ipi(0);
    }
    g_assert_cmpuint(alloc_unbound(0), ==, 4095);
    g_assert_true(is_l0_port(4095));
    g_assert_cmpint(try_alloc(0, &port), ==, -XEN_ENOSPC);
    g_assert_cmpint(try_interdomain(0, 1, &port), ==, -XEN_ENOSPC);
    /* Ports with the same low bits as L0's are others. */
    while (port < 4097) {
        port = bind_ipi(0);
    }
    g_assert_false(is_l0_port(4097));
    g_assert_cmpint(send_to(4097), ==, 0);
    g_assert_cmpuint(machine_l0.ports[1].nr_sends, ==, 0);
    g_assert_cmpint(close_port(4097), ==, 0);
    g_assert_true(is_l0_port(1));
    g_assert_cmpint(close_port(4095), ==, 0);
    g_assert_cmpuint(alloc_unbound(0), ==, 4095);
}

static void test_no_port(void)
{
    uint32_t port = 0;
    unsigned int calls;

    machine_start(&own);
    while (port < 4095) {
        port = bind_ipi(0);
    }
    calls = machine_l0.nr_calls;
    g_assert_cmpint(try_alloc(0, &port), ==, -XEN_ENOSPC);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
}

/* Closing -------------------------------------------------------------------------- */

static void test_close(void)
{
    uint32_t port;

    machine_start(&own);
    port = alloc_unbound(0);
    machine_l0.ports[port].nr_sends = 5;
    g_assert_cmpint(close_port(port), ==, 0);
    g_assert_false(is_l0_port(port));
    /* Another one, of the monitor's, has its place. */
    g_assert_true(machine_l0.ports[port].used);
    g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, 0);
    g_assert_cmpint(close_port(port), ==, -XEN_EINVAL);
    /* As an IPI the number is not L0's. */
    g_assert_cmpuint(bind_ipi(0), ==, port);
    /* Another vCPU that has seen it as L0's just before. */
    machine_l0.ports[port].nr_sends = 5;
    g_assert_cmpint(close_l0_port(port), ==, -XEN_EINVAL);
    g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, 5);
    machine_l0.ports[port].nr_sends = 0;
    g_assert_cmpint(send_to(port), ==, 0);
    g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, 0);
    g_assert_cmpint(close_port(port), ==, 0);
    g_assert_cmpuint(alloc_unbound(0), ==, port);
    g_assert_cmpint(send_to(port), ==, 0);
    g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, 1);
}

/* Of a send to a port that L0 has closed by itself the guest gets L0's error. */
static void test_send_error(void)
{
    machine_start(&own);
    machine_l0.ports[1].used = false;
    g_assert_cmpint(send_to(1), ==, -XEN_EINVAL);
    g_assert_cmpint(send_to(2), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/l0_ports/adopt", test_adopt);
    machine_test("/monitor/l0_ports/adopt-others", test_adopt_others);
    machine_test("/monitor/l0_ports/adopt-last", test_adopt_last);
    machine_test("/monitor/l0_ports/bind", test_bind);
    machine_test("/monitor/l0_ports/first-event", test_first_event);
    machine_test("/monitor/l0_ports/refused", test_refused);
    machine_test("/monitor/l0_ports/no-place", test_no_place);
    machine_test("/monitor/l0_ports/place-is-taken", test_place_is_taken);
    machine_test("/monitor/l0_ports/other-number", test_other_number);
    machine_test("/monitor/l0_ports/lost-place", test_lost_place);
    machine_test("/monitor/l0_ports/most", test_most);
    machine_test("/monitor/l0_ports/no-port", test_no_port);
    machine_test("/monitor/l0_ports/close", test_close);
    machine_test("/monitor/l0_ports/send-error", test_send_error);
    return g_test_run();
}
