/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c: which domain a channel is of, what the model answers and what L0 does.
 */

#include "event_op_calls.h"

static struct pv_call other;
static unsigned int nr_others;

/* L0's answer to one without rights. */
static bool refuse(const struct pv_call *call, long *result)
{
    if (call->number != __HYPERVISOR_event_channel_op) {
        return false;
    }
    other = *call;
    nr_others++;
    *result = -XEN_EPERM;
    return true;
}

static void test_other_domain(void)
{
    struct evtchn_alloc_unbound alloc = { .dom = 0, .remote_dom = DOMID_SELF };
    struct evtchn_status status = { .dom = 7, .port = 1 };
    struct evtchn_reset reset = { .dom = DOMID_IDLE };
    const struct {
        unsigned int cmd;
        const void *arg;
        size_t size;
    } ops[] = {
        { EVTCHNOP_alloc_unbound, &alloc, sizeof(alloc) },
        { EVTCHNOP_status, &status, sizeof(status) },
        { EVTCHNOP_reset, &reset, sizeof(reset) },
        { RESET_CONT, &reset, sizeof(reset) },
    };
    const uint64_t end = 0xfffffffffffff800;
    unsigned int i;
    uint64_t va;

    machine_start(&own);
    machine_map(end, machine_frame(), PTE_PRESENT | PTE_WRITE);
    machine_hooks.l0 = refuse;
    for (i = 0; i < G_N_ELEMENTS(ops); i++) {
        va = machine_put(ops[i].arg, ops[i].size);
        g_assert_cmpint(op_at(ops[i].cmd, va), ==, -XEN_EPERM);
        g_assert_cmpuint(other.args[0], ==, ops[i].cmd);
        g_assert_cmphex(other.args[1], ==, va);
        /* What ends behind the address space leads L0 nowhere. */
        memcpy(machine_at(end), ops[i].arg, ops[i].size);
        g_assert_cmpint(op_at(ops[i].cmd, end), ==, -XEN_EPERM);
        g_assert_cmphex(other.args[1], ==, NOTHING_VA);
    }
    g_assert_cmpuint(nr_others, ==, 2 * G_N_ELEMENTS(ops));
}

/* DOMID_SELF and the guest's own number are one. */
static void test_self(void)
{
    static const domid_t selves[] = { DOMID_SELF, 1 };
    unsigned int i, j, calls;
    uint32_t local;

    machine_start(&own);
    calls = machine_l0.nr_calls;
    for (i = 0; i < 2; i++) {
        for (j = 0; j < 2; j++) {
            struct evtchn_alloc_unbound alloc = {
                .dom = selves[i], .remote_dom = selves[j],
            };
            struct evtchn_status status = { .dom = selves[i] };

            g_assert_cmpint(EVENT_CALL(EVTCHNOP_alloc_unbound, &alloc), ==, 0);
            status.port = alloc.port;
            g_assert_cmpint(EVENT_CALL(EVTCHNOP_status, &status), ==, 0);
            g_assert_cmpuint(status.status, ==, EVTCHNSTAT_unbound);
            g_assert_cmpuint(status.u.unbound.dom, ==, 1);
            g_assert_cmpint(try_interdomain(selves[j], alloc.port, &local), ==,
                            0);
            g_assert_cmpuint(status_of(alloc.port).status, ==,
                             EVTCHNSTAT_interdomain);
            /* What is between the guest's own ports is not L0's. */
            g_assert_cmpint(send_to(local), ==, 0);
            g_assert_true(is_pending(alloc.port));
            g_assert_cmpint(close_port(alloc.port), ==, 0);
            g_assert_cmpint(close_port(local), ==, 0);
        }
    }
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
}

static void test_back_ends(void)
{
    uint32_t port, ipi;

    machine_start(&own_fifo);
    ipi = bind_ipi(0);
    port = alloc_unbound(0);
    g_assert_cmpuint(port, ==, ipi + 1);
    g_assert_true(machine_l0.ports[port].used);
    g_assert_cmpint(send_to(port), ==, 0);
    g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, 1);
    g_assert_false(is_pending(port));
    g_assert_cmpint(send_to(ipi), ==, 0);
    g_assert_cmpuint(machine_l0.ports[ipi].nr_sends, ==, 0);
    g_assert_true(is_pending(ipi));

    g_assert_cmpint(move_to(port, 1), ==, 0);
    g_assert_cmpuint(machine_l0.ports[port].vcpu, ==, 1);
    g_assert_cmpint(move_to(port, 2), ==, -XEN_ENOENT);
    g_assert_cmpuint(machine_l0.ports[port].vcpu, ==, 1);
    g_assert_cmpint(move_to(ipi, 1), ==, -XEN_EINVAL);
    g_assert_cmpuint(machine_l0.ports[ipi].vcpu, ==, 0);

    g_assert_cmpint(close_port(port), ==, 0);
    g_assert_cmpint(close_port(port), ==, -XEN_EINVAL);
    g_assert_cmpint(send_to(port), ==, -XEN_EINVAL);
    g_assert_cmpint(close_port(ipi), ==, 0);

    g_assert_cmpint(try_interdomain(0, 9, &port), ==, 0);
    g_assert_cmpint(send_to(port), ==, 0);
    g_assert_cmpuint(machine_l0.ports[port].nr_sends, ==, 1);
    /* L0 knows no such domain. */
    g_assert_cmpint(try_interdomain(7, 9, &port), ==, -XEN_ESRCH);
}

/* The model's ports that are the guest's to move are not L0's to move. */
static void test_move_own(void)
{
    uint32_t port;
    unsigned int calls;

    machine_start(&own_fifo);
    port = alloc_unbound(1);
    calls = machine_l0.nr_calls;
    g_assert_cmpint(move_to(port, 1), ==, 0);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
    g_assert_cmpuint(status_of(port).vcpu, ==, 1);
}

static long status_result;
static bool asked;

static bool answer_status(const struct pv_call *call, long *result)
{
    struct evtchn_status *status = (void *)call->args[1];

    if (call->number != __HYPERVISOR_event_channel_op ||
        call->args[0] != EVTCHNOP_status) {
        return false;
    }
    asked = true;
    status->status = EVTCHNSTAT_interdomain;
    status->vcpu = 5;
    status->u.interdomain.dom = 42;
    status->u.interdomain.port = 4711;
    *result = status_result;
    return true;
}

static void test_status(void)
{
    struct evtchn_status status = { .dom = DOMID_SELF, .port = 1 };
    uint32_t port;

    machine_start(&own_fifo);
    machine_hooks.l0 = answer_status;
    g_assert_cmpint(move_to(1, 1), ==, 0);
    /* The peer is L0's to know, the vCPU is the model's. */
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_status, &status), ==, 0);
    g_assert_cmpuint(status.status, ==, EVTCHNSTAT_interdomain);
    g_assert_cmpuint(status.u.interdomain.dom, ==, 42);
    g_assert_cmpuint(status.u.interdomain.port, ==, 4711);
    g_assert_cmpuint(status.vcpu, ==, 1);
    status_result = -XEN_EACCES;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_status, &status), ==, -XEN_EACCES);
    /* All others are not asked for there. */
    asked = false;
    port = bind_ipi(1);
    g_assert_cmpuint(status_of(port).status, ==, EVTCHNSTAT_ipi);
    g_assert_cmpuint(status_of(port).vcpu, ==, 1);
    g_assert_cmpuint(status_of(port + 1).status, ==, EVTCHNSTAT_closed);
    g_assert_cmpuint(status_of(0).status, ==, EVTCHNSTAT_closed);
    status.port = 1u << 20;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_status, &status), ==, -XEN_EINVAL);
    g_assert_false(asked);
}

static void test_pirq(void)
{
    static const struct {
        uint32_t pirq;
        long result;
    } cases[] = {
        { 0, -XEN_EPERM }, { 16, -XEN_EPERM }, { 0xffff, -XEN_EPERM },
        { 0x10000, -XEN_EINVAL }, { 0xffffffff, -XEN_EINVAL },
    };
    unsigned int i, calls;

    machine_start(&own);
    calls = machine_l0.nr_calls;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct evtchn_bind_pirq bind = { .pirq = cases[i].pirq };

        g_assert_cmpint(EVENT_CALL(EVTCHNOP_bind_pirq, &bind), ==,
                        cases[i].result);
    }
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/events_domains/other-domain", test_other_domain);
    machine_test("/monitor/events_domains/self", test_self);
    machine_test("/monitor/events_domains/back-ends", test_back_ends);
    machine_test("/monitor/events_domains/move-own", test_move_own);
    machine_test("/monitor/events_domains/status", test_status);
    machine_test("/monitor/events_domains/pirq", test_pirq);
    return g_test_run();
}
