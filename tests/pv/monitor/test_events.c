/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c: HYPERVISOR_event_channel_op and the old one beside it: arguments, and what
 * the model answers and what L0 does.
 */

#include "event_calls.h"

#include "../public/event_channel_3level.h"

#define RESET_CONT 14

static const struct machine_config own = { .own_events = true };
static const struct machine_config own_fifo = {
    .nr_vcpus = 2, .own_events = true, .fifo = true,
};

/* Sizes of the arguments, by command. */
static const struct {
    unsigned int cmd;
    size_t size;
    bool copy_back;
} commands[] = {
    { EVTCHNOP_bind_interdomain, sizeof(struct evtchn_bind_interdomain), true },
    { EVTCHNOP_bind_virq, sizeof(struct evtchn_bind_virq), true },
    { EVTCHNOP_bind_pirq, sizeof(struct evtchn_bind_pirq), true },
    { EVTCHNOP_close, sizeof(struct evtchn_close), false },
    { EVTCHNOP_send, sizeof(struct evtchn_send), false },
    { EVTCHNOP_status, sizeof(struct evtchn_status), true },
    { EVTCHNOP_alloc_unbound, sizeof(struct evtchn_alloc_unbound), true },
    { EVTCHNOP_bind_ipi, sizeof(struct evtchn_bind_ipi), true },
    { EVTCHNOP_bind_vcpu, sizeof(struct evtchn_bind_vcpu), false },
    { EVTCHNOP_unmask, sizeof(struct evtchn_unmask), false },
    { EVTCHNOP_reset, sizeof(struct evtchn_reset), false },
    { EVTCHNOP_init_control, sizeof(struct evtchn_init_control), true },
    { EVTCHNOP_expand_array, sizeof(struct evtchn_expand_array), false },
    { EVTCHNOP_set_priority, sizeof(struct evtchn_set_priority), false },
    { RESET_CONT, sizeof(struct evtchn_reset), false },
    { EVTCHNOP_query_extended_abis, sizeof(struct evtchn_query_extended_abis),
      true },
    { EVTCHNOP_register_3level, sizeof(struct evtchn_register_3level), false },
};

static long op_at(uint64_t cmd, uint64_t va)
{
    return machine_call(__HYPERVISOR_event_channel_op, cmd, va, 0, 0);
}

static void test_unknown(void)
{
    static const uint64_t numbers[] = {
        15, 16, 31, 127, 130, 255, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned int calls, i;
    uint64_t va;

    machine_start(&own);
    va = machine_put((const uint8_t[64]){ 0 }, 64);
    calls = machine_l0.nr_calls;
    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_assert_cmpint(op_at(numbers[i], va), ==, -XEN_ENOSYS);
        /* The number comes before the argument. */
        g_assert_cmpint(op_at(numbers[i], MONITOR_VA), ==, -XEN_ENOSYS);
    }
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
    /* Xen's command is an int. */
    g_assert_cmpint(op_at(EVTCHNOP_bind_ipi | 5ul << 32, va), ==, 0);
    g_assert_cmpint(op_at(15 | 5ul << 32, va), ==, -XEN_ENOSYS);
}

static void test_unreadable(void)
{
    static const uint64_t addresses[] = {
        0, 0x1000, 0x3ff000, 0x8000700000000000, M2P_VA, WINDOWS_VA,
        MONITOR_VA, VCPUS_VA, DIRECTMAP_VA, NOTHING_VA, HYPERVISOR_END - 1,
        MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE, ~0ul, ~3ul,
    };
    unsigned int calls, i, j;
    uint32_t port;

    machine_start(&own_fifo);
    calls = machine_l0.nr_calls;
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        for (j = 0; j < G_N_ELEMENTS(addresses); j++) {
            g_assert_cmpint(op_at(commands[i].cmd, addresses[j]), ==,
                            -XEN_EFAULT);
        }
        /* All but the last byte can be read. */
        g_assert_cmpint(op_at(commands[i].cmd,
                              MACHINE_KERNEL_VA +
                              MACHINE_KERNEL_PAGES * PAGE_SIZE + 1 -
                              commands[i].size), ==, -XEN_EFAULT);
    }
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
    g_assert_cmpint(try_bind_ipi(0, &port), ==, 0);
    g_assert_cmpuint(port, ==, 3);
}

/* Arguments that can only be read, and what is not copied back. */
static void test_copy_back(void)
{
    struct evtchn_init_control init = { .vcpu = 0 };
    struct evtchn_bind_ipi *ipi;
    struct evtchn_send *send;
    uint64_t va = 0x200000, mfn;

    machine_start(&own);
    mfn = machine_frame();
    machine_map(va, mfn, PTE_PRESENT);
    ipi = frame(mfn);
    /* As in Xen, the port stays bound. */
    g_assert_cmpint(op_at(EVTCHNOP_bind_ipi, va), ==, -XEN_EFAULT);
    g_assert_cmpuint(ipi->port, ==, 0);
    g_assert_cmpuint(status_of(3).status, ==, EVTCHNSTAT_ipi);
    send = frame(mfn);
    send->port = 3;
    g_assert_cmpint(op_at(EVTCHNOP_send, va), ==, 0);
    g_assert_true(is_pending(3));
    /* An error is what the guest gets then, and nothing else. */
    ipi->vcpu = 1;
    g_assert_cmpint(op_at(EVTCHNOP_bind_ipi, va), ==, -XEN_ENOENT);
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_init_control, &init), ==,
                    -XEN_EOPNOTSUPP);
    g_assert_cmpuint(init.link_bits, ==, 0);
}

/* Other domains than the guest's --------------------------------------------------- */

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

/* ABIs ----------------------------------------------------------------------------- */

static void check_abis(bool fifo, bool three_level)
{
    struct evtchn_query_extended_abis query = { 0 };
    struct evtchn_init_control init = { .vcpu = 0 };
    struct evtchn_expand_array expand = { 0 };
    struct evtchn_set_priority priority = { .port = 1, .priority = 3 };
    struct evtchn_register_3level reg = { .cmd = 77 };

    machine_start(&(struct machine_config) {
        .own_events = true, .fifo = fifo, .three_level = three_level,
    });
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_query_extended_abis, &query), ==, 0);
    g_assert_cmphex(query.abis, ==, (fifo ? EVTCHN_EXTENDED_ABI_FIFO : 0) |
                                    (three_level ? EVTCHN_EXTENDED_ABI_3LEVEL :
                                                   0));
    expand.array_gfn = machine_frame();
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==,
                    -XEN_EOPNOTSUPP);
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_set_priority, &priority), ==,
                    fifo ? -XEN_ENOSYS : -XEN_EOPNOTSUPP);
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==,
                    three_level ? -XEN_EINVAL : -XEN_EPERM);
    init.control_gfn = machine_frame();
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_init_control, &init), ==,
                    fifo ? 0 : -XEN_EOPNOTSUPP);
    if (fifo) {
        g_assert_cmpuint(init.link_bits, ==, EVTCHN_FIFO_LINK_BITS);
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==, 0);
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_set_priority, &priority), ==, 0);
    }
}

static void test_2_level(void)
{
    check_abis(false, false);
}

static void test_fifo(void)
{
    check_abis(true, false);
}

static void test_3_level(void)
{
    check_abis(false, true);
}

/* Resets --------------------------------------------------------------------------- */

/* Once through the door: returns the registers behind it. */
static struct regs call_once(uint64_t cmd, uint64_t arg)
{
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);

    regs.rax = __HYPERVISOR_event_channel_op;
    regs.rdi = cmd;
    regs.rsi = arg;
    hypercall_trap(&regs);
    return regs;
}

static void test_reset(void)
{
    static const domid_t selves[] = { DOMID_SELF, 1 };
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t port;
    unsigned int i;

    machine_start(&own_fifo);
    g_assert_cmpint(EVENT_CALL(RESET_CONT, &reset), ==, -XEN_EBUSY);
    g_assert_true(machine_l0.ports[1].used);
    for (i = 0; i < 2; i++) {
        reset.dom = selves[i];
        bind_ipi(0);
        bind_virq_timer(0);
        alloc_unbound(0);
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_reset, &reset), ==, 0);
        for (port = 1; port < 8; port++) {
            g_assert_cmpuint(status_of(port).status, ==, EVTCHNSTAT_closed);
            g_assert_false(machine_l0.ports[port].used);
        }
    }
    /* Numbers begin anew, and no port is L0's any more. */
    g_assert_cmpuint(bind_ipi(0), ==, 1);
    g_assert_cmpint(send_to(1), ==, 0);
    g_assert_true(is_pending(1));
    g_assert_cmpuint(alloc_unbound(0), ==, 2);
    g_assert_true(machine_l0.ports[2].used);
    g_assert_cmpint(send_to(2), ==, 0);
    g_assert_cmpuint(machine_l0.ports[2].nr_sends, ==, 1);
}

/* So many that upcalls come in between. */
static void test_reset_in_pieces(void)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    unsigned int i, pieces = 0;
    struct regs regs;
    uint64_t va, rip;

    machine_start(&own);
    va = machine_put(&reset, sizeof(reset));
    for (i = 0; i < 1500; i++) {
        bind_ipi(0);
    }
    regs = call_once(EVTCHNOP_reset, va);
    rip = machine_trapped(VECTOR_SYSCALL, 0).rip;
    while (regs.rip == rip - 2) {
        /* The same call again, which goes on where it was. */
        g_assert_cmpuint(regs.rax, ==, __HYPERVISOR_event_channel_op);
        g_assert_cmpuint(regs.rdi, ==, RESET_CONT);
        g_assert_cmphex(regs.rsi, ==, va);
        /* There is one reset at a time. */
        g_assert_cmpint(call_once(EVTCHNOP_reset, va).rax, ==, -XEN_EBUSY);
        pieces++;
        regs = call_once(regs.rdi, regs.rsi);
    }
    g_assert_cmpint(regs.rax, ==, 0);
    g_assert_cmpuint(pieces, >=, 2);
    g_assert_false(machine_l0.ports[1].used);
    g_assert_cmpuint(bind_ipi(0), ==, 1);
}

/*
 * A port that is bound between two pieces stays, for which Xen says -EAGAIN.  What was
 * closed is closed in L0, too: the number is the new port's alone.
 */
static void test_reset_and_bind(void)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    unsigned int i;
    struct regs regs;
    uint64_t va;

    machine_start(&own);
    va = machine_put(&reset, sizeof(reset));
    for (i = 0; i < 600; i++) {
        bind_ipi(0);
    }
    regs = call_once(EVTCHNOP_reset, va);
    g_assert_cmpuint(regs.rdi, ==, RESET_CONT);
    g_assert_cmpuint(bind_ipi(0), ==, 1);
    g_assert_cmpint(call_once(RESET_CONT, va).rax, ==, -XEN_EAGAIN);
    g_assert_cmpint(send_to(1), ==, 0);
    g_assert_true(is_pending(1));
    g_assert_cmpuint(machine_l0.ports[1].nr_sends, ==, 0);
    /* The next one is not in the way of this one. */
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_reset, &reset), ==, 0);
}

/* The old hypercall ---------------------------------------------------------------- */

static long compat_at(uint64_t va)
{
    return machine_call(__HYPERVISOR_event_channel_op_compat, va, 0, 0, 0);
}

static void test_compat(void)
{
    static const unsigned int later[] = {
        EVTCHNOP_reset, EVTCHNOP_init_control, EVTCHNOP_expand_array,
        EVTCHNOP_set_priority, RESET_CONT, EVTCHNOP_query_extended_abis,
        0xffffffff,
    };
    struct evtchn_op op = { .cmd = EVTCHNOP_bind_ipi }, *at;
    unsigned int i, calls;
    uint64_t va;

    machine_start(&own_fifo);
    g_assert_cmpint(compat_at(0), ==, -XEN_EFAULT);
    va = machine_put(&op, sizeof(op));
    at = machine_at(va);
    g_assert_cmpint(compat_at(va), ==, 0);
    g_assert_cmpuint(at->u.bind_ipi.port, ==, 3);
    at->cmd = EVTCHNOP_unmask;
    at->u.unmask.port = 3;
    set_masked(3, true);
    g_assert_cmpint(compat_at(va), ==, 0);
    g_assert_cmphex(shared_info()->evtchn_mask[0], ==, 0);
    at->cmd = EVTCHNOP_send;
    at->u.send.port = 3;
    g_assert_cmpint(compat_at(va), ==, 0);
    g_assert_true(is_pending(3));
    at->cmd = EVTCHNOP_bind_interdomain;
    at->u.bind_interdomain.remote_dom = 0;
    at->u.bind_interdomain.remote_port = 9;
    g_assert_cmpint(compat_at(va), ==, 0);
    g_assert_cmpuint(at->u.bind_interdomain.local_port, ==, 4);
    /* What Xen has added since is not in there. */
    calls = machine_l0.nr_calls;
    for (i = 0; i < G_N_ELEMENTS(later); i++) {
        memset(at, 0, sizeof(*at));
        at->cmd = later[i];
        g_assert_cmpint(compat_at(va), ==, -XEN_ENOSYS);
    }
    g_assert_cmpint(compat_at(MONITOR_VA), ==, -XEN_EFAULT);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
    g_assert_cmpuint(status_of(3).status, ==, EVTCHNSTAT_ipi);
}

/* Anything that a guest may say: it gets an answer. */
static void test_random(void)
{
    unsigned int i, j;

    machine_start(&own_fifo);
    for (i = 0; i < 20000; i++) {
        unsigned int cmd = g_test_rand_int_range(0, 20);
        uint32_t arg[16];
        long result;

        /* L0 of the machine does not translate addresses of the guest. */
        for (j = 0; j < G_N_ELEMENTS(arg); j++) {
            arg[j] = g_test_rand_int_range(0, 3) ?
                     (uint32_t)g_test_rand_int_range(0, 12) :
                     (uint32_t)g_test_rand_int();
        }
        switch (cmd) {
        case EVTCHNOP_alloc_unbound:
            arg[0] = DOMID_SELF | (arg[0] & 1) << 16;
            break;
        case EVTCHNOP_status:
        case EVTCHNOP_reset:
        case RESET_CONT:
            arg[0] = DOMID_SELF;
            break;
        }
        result = event_call(cmd, arg, sizeof(arg));
        g_assert_cmpint(result, <=, 0);
        g_assert_cmpint(result, >, -200);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/events/unknown", test_unknown);
    machine_test("/monitor/events/unreadable", test_unreadable);
    machine_test("/monitor/events/copy-back", test_copy_back);
    machine_test("/monitor/events/other-domain", test_other_domain);
    machine_test("/monitor/events/self", test_self);
    machine_test("/monitor/events/back-ends", test_back_ends);
    machine_test("/monitor/events/move-own", test_move_own);
    machine_test("/monitor/events/status", test_status);
    machine_test("/monitor/events/pirq", test_pirq);
    machine_test("/monitor/events/2-level", test_2_level);
    machine_test("/monitor/events/fifo", test_fifo);
    machine_test("/monitor/events/3-level", test_3_level);
    machine_test("/monitor/events/reset", test_reset);
    machine_test("/monitor/events/reset-in-pieces", test_reset_in_pieces);
    machine_test("/monitor/events/compat", test_compat);
    machine_test("/monitor/events/random", test_random);
    machine_test("/monitor/events/reset-and-bind", test_reset_and_bind);
    return g_test_run();
}
