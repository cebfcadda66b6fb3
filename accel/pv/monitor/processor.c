/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a processor is the monitor's: gates, stubs, MSRs, LAPIC. */

#include "monitor.h"

#include <xen/hvm/hvm_op.h>

#define APIC_ENABLE_X2APIC  0xc00ul
#define LVT_MASKED          0x10000ul
#define SYSCALL_MASK (FLAG_AC | FLAG_VM | FLAG_RF | FLAG_NT | FLAG_DF | \
                      FLAG_IF | FLAG_TF | FLAG_IOPL)

static struct {
    uint64_t low, high;
} idt[256];

/* IST 1: #DF and #MC, 2: NMI, 3: #DB.  Ring 3 may use int3, into and int $0x80. */
void fill_idt(void)
{
    unsigned int vector;

    for (vector = 0; vector < 256; vector++) {
        uint64_t address = (uint64_t)trap_stubs[vector];
        bool ring3 = vector == 3 || vector == 4 || vector == 0x80;
        uint64_t ist = vector == EXC_DF || vector == EXC_MC ? 1 :
                       vector == EXC_NMI ? 2 : vector == EXC_DB ? 3 : 0;

        idt[vector].low = (address & 0xffff) | (uint64_t)SEL_MONITOR_CS << 16 |
                          ist << 32 | (ring3 ? 0xeeul : 0x8eul) << 40 |
                          (address >> 16 & 0xffff) << 48;
        idt[vector].high = address >> 32;
    }
}

/* Where the processor goes at a syscall: it finds the vCPU's stack. */
static void fill_stub(const struct vcpu *v, uint64_t offset, const char *entry)
{
    uint64_t at = STUBS_VA + v->id * STUB_SIZE + offset;
    uint8_t *code = (uint8_t *)frame(boot->stubs_mfn) + v->id * STUB_SIZE +
                    offset;
    uint64_t stack = (uint64_t)v + VCPU_SIZE - STACK_SPARE;
    /*
     * mov %rsp, stack + STACK_SPARE - 8: what entry.S takes for the guest's %rsp is
     * STACK_SPARE above the first word that it pushes.
     */
    int32_t save = (int32_t)(stack + STACK_SPARE - 8 - (at + 7));
    int32_t jump = (int32_t)((uint64_t)entry - (at + 22));

    code[0] = 0x48;
    code[1] = 0x89;
    code[2] = 0x25;
    __builtin_memcpy(code + 3, &save, 4);
    code[7] = 0x48;             /* movabs $stack, %rsp */
    code[8] = 0xbc;
    __builtin_memcpy(code + 9, &stack, 8);
    code[17] = 0xe9;            /* jmp entry */
    __builtin_memcpy(code + 18, &jump, 4);
}

/* Everything of a processor that is the monitor's, on the processor itself. */
void init_processor(struct vcpu *v)
{
    struct xen_hvm_evtchn_upcall_vector upcall = {
        .vcpu = v->id, .vector = VECTOR_UPCALL,
    };
    uint64_t stub = STUBS_VA + v->id * STUB_SIZE;

    init_descriptors(v);
    init_isolation(v);
    lidt((uint64_t)idt, sizeof(idt) - 1);
    fill_stub(v, 0, syscall_entry);
    fill_stub(v, STUB_SIZE / 2, syscall32_entry);
    wrmsr(MSR_STAR, (uint64_t)SEL_CS32 << 48 | (uint64_t)SEL_MONITOR_CS << 32);
    wrmsr(MSR_LSTAR, stub);
    wrmsr(MSR_CSTAR, stub + STUB_SIZE / 2);
    wrmsr(MSR_SYSCALL_MASK, SYSCALL_MASK);
    /* sysenter faults: the guest is told that there is none. */
    wrmsr_safe(MSR_SYSENTER_CS, 0);
    wrmsr_safe(MSR_PAT, 0x0000050100070406);
    wrmsr(MSR_FS_BASE, 0);
    wrmsr(MSR_GS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);

    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_ENABLE_X2APIC);
    /*
     * Before this store another vCPU's kick may go to a wrong processor.  Nothing is
     * lost: this vCPU looks for what it was about after the store.
     */
    __atomic_store_n(&v->apic_id, rdmsr(MSR_X2APIC_ID), __ATOMIC_SEQ_CST);
    wrmsr(MSR_X2APIC_SVR, 0x100 | VECTOR_SPURIOUS);
    /* The machine's timer and its like are not the guest's. */
    wrmsr(MSR_X2APIC_LVT_LINT0, LVT_MASKED);
    wrmsr(MSR_X2APIC_LVT_LINT1, LVT_MASKED);

    if (l0_call(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector,
                (uint64_t)&upcall, 0, 0, 0)) {
        crash_guest(NULL, "no upcalls to vCPU %u from L0", v->id);
    }
    v->cr4_bits = guest_cr4_bits();
    /* As on Xen, the processor's OSXSAVE is set, whatever the guest's own CR4 has. */
    if (v->cr4_bits & CR4_OSXSAVE) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        xsetbv_safe(0, XCR0_X87 | XCR0_SSE);
    }
    init_runstate(v);
    v->dr6 = 0xffff0ff0;
    v->dr7 = 0x400;
    v->port_breakpoints = 0;
}
