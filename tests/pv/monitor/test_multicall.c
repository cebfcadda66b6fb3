/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hypercalls.c: lists of calls, and how they are left and taken up again. */

#include "hypercall_calls.h"

#define LIST_VA 0xffff900000000000ul

/* A wants_out() looks after each of these. */
#define STEPS 64

static struct multicall_entry *entry_at(uint64_t list, unsigned int i)
{
    return machine_at(list + i * sizeof(struct multicall_entry));
}

/* Something has come for the guest, which it would look at. */
static void set_upcall(bool pending)
{
    guest()->info->evtchn_upcall_pending = pending;
    guest()->info->evtchn_upcall_mask = 0;
}

/* A list of @nr calls, each of which counts up the kernel's stack pointer. */
static uint64_t put_list(unsigned int nr)
{
    struct multicall_entry entries[256] = { { 0 } };
    unsigned int i;

    g_assert_cmpuint(nr, <=, G_N_ELEMENTS(entries));
    for (i = 0; i < nr; i++) {
        entries[i].op = __HYPERVISOR_stack_switch;
        entries[i].result = 0x5a;
        entries[i].args[1] = i + 1;
    }
    return machine_put(entries, nr * sizeof(entries[0]));
}

static struct regs once(uint64_t list, uint64_t nr)
{
    return machine_call_once(__HYPERVISOR_multicall, list, nr);
}

static long multicall(uint64_t list, uint64_t nr)
{
    return machine_call(__HYPERVISOR_multicall, list, nr, 0, 0);
}

/* Lists ---------------------------------------------------------------------------- */

static void test_results(void)
{
    struct multicall_entry entries[] = {
        { .op = __HYPERVISOR_stack_switch, .args = { 0x28, 0x1111, 3, 4, 5, 6 } },
        { .op = 999, .args = { 1, 2 } },
        { .op = __HYPERVISOR_multicall, .args = { 0, 5 } },
        { .op = __HYPERVISOR_platform_op },
        { .op = __HYPERVISOR_set_segment_base, .args = { 0, 1ul << 63 } },
        { .op = __HYPERVISOR_set_debugreg, .args = { 0, 0x4444 } },
        { .op = __HYPERVISOR_get_debugreg },
    };
    static const long results[] = {
        0, -XEN_ENOSYS, -XEN_EINVAL, -XEN_EPERM, -XEN_EINVAL, 0, 0x4444,
    };
    uint64_t list;
    unsigned int i;

    machine_start(&config);
    list = machine_put(entries, sizeof(entries));
    g_assert_cmpint(multicall(list, G_N_ELEMENTS(entries)), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_assert_cmpint((long)entry_at(list, i)->result, ==, results[i]);
        g_assert_cmphex(entry_at(list, i)->op, ==, entries[i].op);
        g_assert_cmpmem(entry_at(list, i)->args, sizeof(entries[i].args),
                        entries[i].args, sizeof(entries[i].args));
    }
    g_assert_cmphex(guest()->kernel_sp, ==, 0x1111);
}

static void test_counts(void)
{
    uint64_t list;

    machine_start(&config);
    list = put_list(3);
    g_assert_cmpint(multicall(list, 0), ==, 0);
    g_assert_cmpint(entry_at(list, 0)->result, ==, 0x5a);
    g_assert_cmpint(multicall(list, 2), ==, 0);
    g_assert_cmpint(entry_at(list, 1)->result, ==, 0);
    g_assert_cmpint(entry_at(list, 2)->result, ==, 0x5a);
    /* Of the number there are 32 bits. */
    list = put_list(3);
    g_assert_cmpint(multicall(list, 1ul << 32 | 1), ==, 0);
    g_assert_cmpint(entry_at(list, 0)->result, ==, 0);
    g_assert_cmpint(entry_at(list, 1)->result, ==, 0x5a);
    g_assert_cmpint(multicall(list, 1ul << 32), ==, 0);
    g_assert_cmpint(entry_at(list, 1)->result, ==, 0x5a);
}

static void test_no_list(void)
{
    static const uint64_t nowhere[] = {
        0, M2P_VA, MONITOR_VA, HYPERVISOR_END - 8, 1ul << 63, END, END - 63,
    };
    struct multicall_entry entry = {
        .op = __HYPERVISOR_stack_switch, .args = { 0, 7 },
    };
    uint64_t mfn;
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        g_assert_cmpint(multicall(nowhere[i], 1), ==, -XEN_EFAULT);
        g_assert_cmpint(multicall(nowhere[i], UINT32_MAX), ==, -XEN_EFAULT);
    }
    /* The second entry is nowhere. */
    memcpy(machine_at(END - sizeof(entry)), &entry, sizeof(entry));
    g_assert_cmpint(multicall(END - sizeof(entry), 2), ==, -XEN_EFAULT);
    g_assert_cmphex(guest()->kernel_sp, ==, 7);
    /* A list that is read-only has its call, but no result. */
    mfn = machine_frame();
    entry.args[1] = 8;
    memcpy(frame(mfn), &entry, sizeof(entry));
    machine_map(LIST_VA, mfn, PTE_PRESENT);
    g_assert_cmpint(multicall(LIST_VA, 1), ==, -XEN_EFAULT);
    g_assert_cmphex(guest()->kernel_sp, ==, 8);
    g_assert_cmpint(((struct multicall_entry *)frame(mfn))->result, ==, 0);
}

/* A return ends the list. */
static void test_iret(void)
{
    struct iret_context frame_there = {
        .rax = 0xb1, .rip = 0x1234, .cs = 0x30, .rflags = FLAG_IF, .rsp = 0x5678,
        .ss = 0x28,
    };
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);
    uint64_t list;

    machine_start(&config);
    list = put_list(3);
    entry_at(list, 1)->op = __HYPERVISOR_iret;
    regs.rax = __HYPERVISOR_multicall;
    regs.rdi = list;
    regs.rsi = 3;
    regs.rsp = machine_put(&frame_there, sizeof(frame_there));
    hypercall_trap(&regs);
    g_assert_cmphex(regs.rip, ==, 0x1234);
    g_assert_cmphex(regs.rax, ==, 0xb1);
    g_assert_cmphex(regs.rsp, ==, 0x5678);
    g_assert_cmpint(entry_at(list, 0)->result, ==, 0);
    g_assert_cmpint(entry_at(list, 2)->result, ==, 0x5a);
    g_assert_cmphex(guest()->kernel_sp, ==, 1);
}

/* Numbers have 64 bits: these are none, so they are neither a list nor a return. */
static void test_long_numbers(void)
{
    struct multicall_entry entries[2] = {
        { .op = 1ul << 32 | __HYPERVISOR_multicall },
        { .op = 1ul << 32 | __HYPERVISOR_stack_switch, .args = { 0, 2 } },
    };
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);
    uint64_t list;

    machine_start(&config);
    entries[0].args[0] = put_list(1);
    entries[0].args[1] = 1;
    list = machine_put(entries, sizeof(entries));
    g_assert_cmpint(multicall(list, 2), ==, 0);
    g_assert_cmpint((long)entry_at(list, 0)->result, ==, -XEN_ENOSYS);
    g_assert_cmpint((long)entry_at(list, 1)->result, ==, -XEN_ENOSYS);
    g_assert_cmphex(guest()->kernel_sp, ==, 0);
    regs.rax = 1ul << 32 | __HYPERVISOR_stack_switch;
    regs.rsi = 3;
    hypercall_trap(&regs);
    g_assert_cmpint((long)regs.rax, ==, -XEN_ENOSYS);
    g_assert_cmphex(guest()->kernel_sp, ==, 0);
}

/* A list has to be at an address of the guest's, whatever its length. */
static void test_empty_list_nowhere(void)
{
    machine_start(&config);
    g_assert_cmpint(multicall(MONITOR_VA, 0), ==, -XEN_EFAULT);
}

/* Lists that are left -------------------------------------------------------------- */

static void test_left(void)
{
    static const struct {
        unsigned int nr, done;
    } rows[] = {
        { STEPS - 1, STEPS - 1 }, { STEPS, STEPS }, { STEPS + 1, STEPS },
        { 200, STEPS },
    };
    unsigned int i, n;

    for (i = 0; i < 3 * G_N_ELEMENTS(rows); i++) {
        unsigned int nr = rows[i / 3].nr, done = nr;
        struct regs regs;
        uint64_t list;

        if (!i) {
            machine_start(&config);
        }
        list = put_list(nr);
        set_upcall(i % 3 == 1);
        guest()->traps[EXC_NMI].address = MACHINE_KERNEL_VA;
        guest()->nmi_pending = i % 3 == 2;
        done = i % 3 ? rows[i / 3].done : nr;
        regs = once(list, nr);
        if (done == nr) {
            g_assert_cmphex(regs.rax, ==, 0);
            g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + PAGE_SIZE);
        } else {
            /* The guest makes the call again, with what is left. */
            g_assert_cmphex(regs.rax, ==, __HYPERVISOR_multicall);
            g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + PAGE_SIZE - 2);
            g_assert_cmphex(regs.rdi, ==,
                            list + done * sizeof(struct multicall_entry));
            g_assert_cmphex(regs.rsi, ==, nr - done);
        }
        for (n = 0; n < nr; n++) {
            g_assert_cmpint(entry_at(list, n)->result, ==, n < done ? 0 : 0x5a);
        }
        g_assert_cmphex(guest()->kernel_sp, ==, done);
        g_assert_cmpint(multicall(regs.rdi, regs.rsi), ==, 0);
        g_assert_cmphex(guest()->kernel_sp, ==, nr);
    }
}

static void test_left_for_interrupts(void)
{
    unsigned int calls;

    machine_start(&(struct machine_config) { .own_events = true });
    machine_interrupt(0, VECTOR_KICK);
    /* Not before it looks: interrupts are off. */
    g_assert_false(wants_out(0));
    g_assert_cmphex(machine_processors[0].vectors[VECTOR_KICK / 64], !=, 0);
    g_assert_false(wants_out(STEPS - 1));
    g_assert_cmphex(machine_processors[0].vectors[VECTOR_KICK / 64], ==, 0);
    set_upcall(true);
    for (calls = 0; calls < 5 * STEPS; calls++) {
        g_assert_cmpint(wants_out(calls), ==, calls % STEPS == STEPS - 1);
    }
}

/* A call of the list that is itself a long list. */
static void test_left_in_a_call(void)
{
    struct mmuext_op ops[100];
    struct multicall_entry entries[2] = {
        { .op = __HYPERVISOR_mmuext_op, .result = 0x5a },
        { .op = __HYPERVISOR_stack_switch, .args = { 0, 9 } },
    };
    struct regs regs;
    uint64_t list, at, mfn;
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(ops); i++) {
        ops[i] = (struct mmuext_op) { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
    }
    at = machine_put(ops, sizeof(ops));
    entries[0].args[0] = at;
    entries[0].args[1] = G_N_ELEMENTS(ops);
    entries[0].args[3] = DOMID_SELF;
    list = machine_put(entries, sizeof(entries));
    set_upcall(true);
    regs = once(list, 2);
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + PAGE_SIZE - 2);
    g_assert_cmphex(regs.rdi, ==, list);
    g_assert_cmphex(regs.rsi, ==, 2);
    g_assert_cmphex(entry_at(list, 0)->args[0], ==, at + STEPS * sizeof(ops[0]));
    g_assert_cmphex(entry_at(list, 0)->args[1] & 0xffff, ==,
                    G_N_ELEMENTS(ops) - STEPS);
    g_assert_cmphex(entry_at(list, 0)->op, ==, __HYPERVISOR_mmuext_op);
    g_assert_cmphex(guest()->kernel_sp, ==, 0);
    g_assert_cmpint(multicall(list, 2), ==, 0);
    g_assert_cmpint(entry_at(list, 0)->result, ==, 0);
    g_assert_cmphex(guest()->kernel_sp, ==, 9);
    /* Where what is left cannot be written, the guest would begin again and again. */
    mfn = machine_frame();
    memcpy(frame(mfn), entries, sizeof(entries));
    machine_map(LIST_VA, mfn, PTE_PRESENT);
    regs = once(LIST_VA, 2);
    g_assert_cmpint((long)regs.rax, ==, -XEN_EFAULT);
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + PAGE_SIZE);
}

/* Random lists, left at random, do what their calls do one by one. */
static void test_random(void)
{
    unsigned int round, i;

    machine_start(&config);
    for (round = 0; round < 100; round++) {
        struct multicall_entry entries[150];
        unsigned int nr = g_test_rand_int_range(1, 151);
        static uint64_t list;
        uint64_t sp = guest()->kernel_sp;

        if (!list) {
            list = put_list(150);
        }
        for (i = 0; i < nr; i++) {
            entries[i] = (struct multicall_entry) {
                .op = g_test_rand_bit() ? __HYPERVISOR_stack_switch :
                                          (unsigned int)g_test_rand_int(),
                .args = { 0, g_test_rand_int() },
            };
            if (entries[i].op != __HYPERVISOR_stack_switch) {
                entries[i].op |= 0x100;
            }
            *entry_at(list, i) = entries[i];
        }
        set_upcall(g_test_rand_bit());
        g_assert_cmpint(multicall(list, nr), ==, 0);
        for (i = 0; i < nr; i++) {
            bool is_call = entries[i].op == __HYPERVISOR_stack_switch;

            sp = is_call ? entries[i].args[1] : sp;
            g_assert_cmpint((long)entry_at(list, i)->result, ==,
                            is_call ? 0 : -XEN_ENOSYS);
        }
        g_assert_cmphex(guest()->kernel_sp, ==, sp);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/multicall/results", test_results);
    machine_test("/monitor/multicall/counts", test_counts);
    machine_test("/monitor/multicall/no-list", test_no_list);
    machine_test("/monitor/multicall/iret", test_iret);
    machine_test("/monitor/multicall/long-numbers", test_long_numbers);
    machine_test("/monitor/multicall/empty-list-nowhere", test_empty_list_nowhere);
    machine_test("/monitor/multicall/left", test_left);
    machine_test("/monitor/multicall/left-for-interrupts", test_left_for_interrupts);
    machine_test("/monitor/multicall/left-in-a-call", test_left_in_a_call);
    machine_test("/monitor/multicall/random", test_random);
    return g_test_run();
}
