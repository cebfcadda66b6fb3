/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processor.c: gates, a vCPU's system call stubs, MSRs, and what a new processor has. */

#include "machine.h"

#include <xen/hvm/hvm_op.h>

static const struct machine_config config = { .nr_vcpus = 3 };

/* Gates ---------------------------------------------------------------------------- */

static void test_gates(void)
{
    const uint64_t *gate;
    unsigned int vector;

    machine_start(&config);
    g_assert_cmpuint(machine_processors[0].idtr.limit, ==, 256 * 16 - 1);
    for (vector = 0; vector < 256; vector++) {
        bool ring3 = vector == 3 || vector == 4 || vector == 0x80;
        unsigned int ist = 0;

        switch (vector) {
        case 8:
        case 18:
            ist = 1;
            break;
        case 2:
            ist = 2;
            break;
        case 1:
            ist = 3;
            break;
        }
        gate = (const uint64_t *)machine_processors[0].idtr.base + 2 * vector;
        g_assert_cmphex((gate[0] & 0xffff) | (gate[0] >> 48) << 16 | gate[1] << 32,
                        ==, (uint64_t)trap_stubs[vector]);
        g_assert_cmphex(gate[1] >> 32, ==, 0);
        g_assert_cmphex(gate[0] >> 16 & 0xffff, ==, SEL_MONITOR_CS);
        g_assert_cmpuint(gate[0] >> 32 & 0xff, ==, ist);
        /* Present, and an interrupt gate. */
        g_assert_cmphex(gate[0] >> 40 & 0x9f, ==, 0x8e);
        g_assert_cmpuint(gate[0] >> 45 & 3, ==, ring3 ? 3 : 0);
    }
}

/* The gates' stacks are the vCPU's own, apart from each other and from its variables. */
static void test_stacks(void)
{
    const struct tss *tss;
    uint64_t block;
    unsigned int i;

    machine_start(&config);
    tss = &vcpu_by_id(0)->tss;
    block = (uint64_t)vcpu_by_id(0);
    g_assert_cmphex(tss->rsp[0], ==, block + VCPU_SIZE - STACK_SPARE);
    for (i = 0; i < 3; i++) {
        g_assert_cmphex(tss->ist[i] - block, >=,
                        sizeof(struct vcpu) + PAGE_SIZE / 2);
        g_assert_cmphex(tss->ist[i] % 16, ==, 0);
        g_assert_cmphex(tss->ist[i], <=, i < 2 ? tss->ist[i + 1] - PAGE_SIZE / 2 :
                                                 tss->rsp[0] - 2 * PAGE_SIZE);
    }
    /* No port is the guest's. */
    g_assert_cmpuint(tss->io_bitmap, >=, sizeof(*tss));
}

/* Stubs ---------------------------------------------------------------------------- */

/* mov %rsp, save; movabs $stack, %rsp; jmp entry */
static void assert_stub(const struct vcpu *v, uint64_t offset, const char *entry)
{
    uint64_t at = STUBS_VA + v->id * STUB_SIZE + offset, stack;
    uint64_t end = (uint64_t)v + VCPU_SIZE;
    const uint8_t *code = (uint8_t *)frame(boot->stubs_mfn) +
                          v->id * STUB_SIZE + offset;
    uint32_t save, jump;

    g_assert_cmpmem(code, 3, "\x48\x89\x25", 3);
    memcpy(&save, code + 3, 4);
    /* On a host the two are too far apart: 32 bits of it are. */
    g_assert_cmphex((uint32_t)(at + 7 + save), ==, (uint32_t)(end - 8));
    g_assert_cmpmem(code + 7, 2, "\x48\xbc", 2);
    memcpy(&stack, code + 9, 8);
    g_assert_cmphex(stack, ==, end - STACK_SPARE);
    g_assert_cmphex(code[17], ==, 0xe9);
    memcpy(&jump, code + 18, 4);
    g_assert_cmphex((uint32_t)(at + 22 + jump), ==, (uint32_t)(uint64_t)entry);
}

static void init(unsigned int id)
{
    machine_switch(id);
    init_processor(vcpu_by_id(id));
}

static void test_stubs(void)
{
    unsigned int id;

    machine_start(&config);
    for (id = 0; id < config.nr_vcpus; id++) {
        init(id);
    }
    /* None has written into another one's. */
    for (id = 0; id < config.nr_vcpus; id++) {
        uint64_t stub = STUBS_VA + id * STUB_SIZE;

        machine_switch(id);
        assert_stub(vcpu_by_id(id), 0, syscall_entry);
        assert_stub(vcpu_by_id(id), STUB_SIZE / 2, syscall32_entry);
        g_assert_cmphex(rdmsr(MSR_LSTAR), ==, stub);
        g_assert_cmphex(rdmsr(MSR_CSTAR), ==, stub + STUB_SIZE / 2);
    }
}

/* MSRs ----------------------------------------------------------------------------- */

static void test_msrs(void)
{
    static const struct {
        uint32_t number;
        uint64_t before, after;
    } rows[] = {
        /* syscall loads the monitor's CS, and the next selector as SS. */
        { MSR_STAR, ~0ul, 0xe023e00800000000 },
        /* AC, VM, RF, NT, IOPL, DF, IF, TF */
        { MSR_SYSCALL_MASK, 0, 0x77700 },
        { MSR_SYSENTER_CS, 0x10, 0 },
        { MSR_PAT, 0x0007040600070406, 0x0000050100070406 },
        { MSR_FS_BASE, 0x1000, 0 },
        { MSR_GS_BASE, 0x2000, 0 },
        { MSR_KERNEL_GS_BASE, 0x3000, 0 },
        { MSR_APIC_BASE, 0xfee00000, 0xfee00c00 },
        { MSR_APIC_BASE, 0xfee00900, 0xfee00d00 },
        { MSR_X2APIC_SVR, 0, 0x1ff },
        { MSR_X2APIC_LVT_LINT0, 0x700, 0x10000 },
        { MSR_X2APIC_LVT_LINT1, 0x400, 0x10000 },
        { MSR_X2APIC_ID, 0x12345, 0x12345 },
    };
    unsigned int i;

    machine_start(&config);
    g_assert_cmpuint(SEL_MONITOR_SS, ==, SEL_MONITOR_CS + 8);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        machine_switch(1);
        *machine_msr(rows[i].number) = rows[i].before;
        init(1);
        g_assert_cmphex(rdmsr(rows[i].number), ==, rows[i].after);
    }
    g_assert_cmphex(vcpu_by_id(1)->apic_id, ==, 0x12345);
}

static bool no_msr(uint32_t number)
{
    return false;
}

/* A processor may have no SYSENTER, and no PAT. */
static void test_no_msrs(void)
{
    machine_start(&config);
    machine_hooks.has_msr = no_msr;
    machine_switch(1);
    *machine_msr(MSR_PAT) = 1;
    init(1);
    g_assert_cmphex(rdmsr(MSR_PAT), ==, 1);
}

/* The rest ------------------------------------------------------------------------- */

static void cpuid_without_xsave(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a = *b = *c = *d = 0;
}

static void test_xsave(void)
{
    machine_start(&config);
    g_assert_cmphex(machine_processors[0].cr4, ==,
                    CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE);
    g_assert_cmphex(machine_processors[0].xcr0, ==, XCR0_X87 | XCR0_SSE);
    g_assert_cmphex(vcpu_by_id(0)->cr4_bits, ==,
                    CR4_TSD | CR4_DE | CR4_OSXSAVE | CR4_FSGSBASE);
    machine_hooks.cpuid = cpuid_without_xsave;
    init(1);
    g_assert_cmphex(machine_processors[1].cr4, ==, CR4_PAE | CR4_OSFXSR);
    g_assert_cmphex(machine_processors[1].xcr0, ==, 0);
    g_assert_cmphex(vcpu_by_id(1)->cr4_bits, ==, CR4_TSD | CR4_DE);
}

static void test_state(void)
{
    struct vcpu *v;

    machine_start(&config);
    v = vcpu_by_id(1);
    v->dr6 = v->dr7 = 0;
    v->port_breakpoints = 3;
    init(1);
    g_assert_cmphex(v->dr6, ==, 0xffff0ff0);
    g_assert_cmphex(v->dr7, ==, 0x400);
    g_assert_cmphex(v->port_breakpoints, ==, 0);
    g_assert_cmphex(machine_processors[1].idtr.base, ==,
                    machine_processors[0].idtr.base);
    g_assert_cmphex(machine_processors[1].tr, ==, SEL_TSS);
}

/* Its isolated tables, and where KVM counts its stolen time. */
static void test_other_files(void)
{
    machine_start(&(struct machine_config) {
        .nr_vcpus = 2, .isolated = true, .own_runstates = true, .own_events = true,
    });
    init(1);
    g_assert_cmphex(((uint64_t *)frame(MACHINE_ISOLATION_MFN + ISOLATION_PAGES +
                                       3))[261], !=, 0);
    g_assert_cmphex(rdmsr(0x4b564d03) & 1, ==, 1);
}

static unsigned int upcall_vcpu;
static long upcall_result;

static bool take_upcall(const struct pv_call *call, long *result)
{
    const struct xen_hvm_evtchn_upcall_vector *upcall = (void *)call->args[1];

    if (call->number != __HYPERVISOR_hvm_op) {
        return false;
    }
    g_assert_cmpuint(call->args[0], ==, HVMOP_set_evtchn_upcall_vector);
    g_assert_cmphex(upcall->vector, ==, VECTOR_UPCALL);
    upcall_vcpu = upcall->vcpu;
    *result = upcall_result;
    return true;
}

static void test_upcall_vector(void)
{
    machine_start(&config);
    machine_hooks.l0 = take_upcall;
    init(2);
    g_assert_cmpuint(upcall_vcpu, ==, 2);
    upcall_result = -XEN_EINVAL;
    machine_assert_ends(init(1));
    machine_assert_said("no upcalls to vCPU 1 from L0\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/processor/gates", test_gates);
    machine_test("/monitor/processor/stacks", test_stacks);
    machine_test("/monitor/processor/stubs", test_stubs);
    machine_test("/monitor/processor/msrs", test_msrs);
    machine_test("/monitor/processor/no-msrs", test_no_msrs);
    machine_test("/monitor/processor/xsave", test_xsave);
    machine_test("/monitor/processor/state", test_state);
    machine_test("/monitor/processor/other-files", test_other_files);
    machine_test("/monitor/processor/upcall-vector", test_upcall_vector);
    return g_test_run();
}
