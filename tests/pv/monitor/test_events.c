/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c: HYPERVISOR_event_channel_op and the old one beside it: arguments, and what
 * the model answers and what L0 does.
 */

#include "event_op_calls.h"

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

/* Arguments ------------------------------------------------------------------------ */

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
    return machine_call_once(__HYPERVISOR_event_channel_op, cmd, arg);
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

/*
 * A reset closes L0's ports first, and the model's in pieces.  Between these no channel
 * to a back end is bound, as the next piece may close it in the model alone.
 */
static void test_reset_and_back_end(void)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF };
    struct evtchn_bind_interdomain bind = { .remote_port = 1 };
    uint64_t reset_va, alloc_va, bind_va;
    struct regs regs;
    unsigned int i;

    machine_start(&own);
    reset_va = machine_put(&reset, sizeof(reset));
    alloc_va = machine_put(&alloc, sizeof(alloc));
    bind_va = machine_put(&bind, sizeof(bind));
    for (i = 0; i < 600; i++) {
        bind_ipi(0);
    }
    regs = call_once(EVTCHNOP_reset, reset_va);
    g_assert_cmpuint(regs.rdi, ==, RESET_CONT);
    regs = call_once(EVTCHNOP_alloc_unbound, alloc_va);
    /* The same call again, and nothing is bound in L0. */
    g_assert_cmpuint(regs.rax, ==, __HYPERVISOR_event_channel_op);
    g_assert_cmpuint(regs.rdi, ==, EVTCHNOP_alloc_unbound);
    g_assert_cmphex(regs.rsi, ==, alloc_va);
    regs = call_once(EVTCHNOP_bind_interdomain, bind_va);
    g_assert_cmpuint(regs.rax, ==, __HYPERVISOR_event_channel_op);
    g_assert_cmpuint(regs.rdi, ==, EVTCHNOP_bind_interdomain);
    for (i = 1; i < 700; i++) {
        g_assert_false(machine_l0.ports[i].used);
        g_assert_false(is_l0_port(i));
    }
    g_assert_cmpint(EVENT_CALL(RESET_CONT, &reset), ==, 0);
    g_assert_cmpuint(alloc_unbound(0), ==, 1);
    g_assert_true(machine_l0.ports[1].used);
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

/* Any argument --------------------------------------------------------------------- */

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
    machine_test("/monitor/events/2-level", test_2_level);
    machine_test("/monitor/events/fifo", test_fifo);
    machine_test("/monitor/events/3-level", test_3_level);
    machine_test("/monitor/events/reset", test_reset);
    machine_test("/monitor/events/reset-in-pieces", test_reset_in_pieces);
    machine_test("/monitor/events/reset-and-bind", test_reset_and_bind);
    machine_test("/monitor/events/reset-and-back-end", test_reset_and_back_end);
    machine_test("/monitor/events/compat", test_compat);
    machine_test("/monitor/events/random", test_random);
    return g_test_run();
}
