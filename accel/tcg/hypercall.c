/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest finds Xen on TCG and calls it: CPUID, the hypercall page, traps. */

#include "internal.h"
#include "exec/exec-all.h"
#include "exec/helper-proto.h"
#include "system/kvm.h"
#include "target/i386/kvm/xen-emu.h"
#include "hw/xen/interface/arch-x86/cpuid.h"
#include "hw/i386/kvm/xen_overlay.h"
#include <linux/kvm.h>

#define XEN_CPUID_BASE      0x40000000

/* A hypercall page has room for this many stubs of this size. */
#define STUB_SIZE   32
#define NR_STUBS    (4096 / STUB_SIZE)

static bool guest_long_mode;

int xen_tcg_set_long_mode(bool long_mode)
{
    qatomic_set(&guest_long_mode, long_mode);
    return 0;
}

int xen_tcg_get_long_mode(bool *long_mode)
{
    *long_mode = qatomic_read(&guest_long_mode);
    return 0;
}

/* By the rules for the guest's own access: it must have write access. */
bool xen_tcg_gva_to_gpa(CPUState *cs, uint64_t gva, uint64_t *gpa,
                        bool is_write)
{
    CPUX86State *env = cpu_env(cs);
    CPUTLBEntryFull *page;
    void *host;

    /* Outside of long mode the TLB would ignore the upper half of @gva. */
    if (!(env->hflags & HF_LMA_MASK) && gva >> 32) {
        return false;
    }
    if (probe_access_full(env, gva, 1,
                          is_write ? MMU_DATA_STORE : MMU_DATA_LOAD,
                          cpu_mmu_index(cs, false), true, &host, &page, 0) &
        TLB_INVALID_MASK) {
        return false;
    }
    *gpa = page->phys_addr | (gva & ~TARGET_PAGE_MASK);
    return true;
}

/* CPUID ------------------------------------------------------------------- */

bool xen_tcg_cpuid(CPUX86State *env, uint32_t index, uint32_t count,
                   uint32_t *eax, uint32_t *ebx, uint32_t *ecx, uint32_t *edx)
{
    static const char signature[] = "XenVMMXenVMM";
    uint32_t version = xen_machine_version();

    if (!xen_tcg_active || index < XEN_CPUID_BASE ||
        index > XEN_CPUID_BASE + 4) {
        return false;
    }
    *eax = *ebx = *ecx = *edx = 0;
    switch (index - XEN_CPUID_BASE) {
    case 0:
        *eax = XEN_CPUID_BASE + 4;
        *ebx = ldl_le_p(signature);
        *ecx = ldl_le_p(signature + 4);
        *edx = ldl_le_p(signature + 8);
        break;
    case 1:
        *eax = version;
        break;
    case 2:
        *eax = 1;       /* hypercall page */
        *ebx = XEN_HYPERCALL_MSR;
        break;
    case 3:
        xen_tcg_time_cpuid(env, count, eax, ebx, ecx, edx);
        break;
    case 4:
        if (version >= XEN_VERSION(4, 6)) {
            *eax |= XEN_HVM_CPUID_VCPU_ID_PRESENT;
            *ebx = env_cpu(env)->cpu_index;
        }
        if (version >= XEN_VERSION(4, 17)) {
            *eax |= XEN_HVM_CPUID_UPCALL_VECTOR;
        }
        break;
    }
    return true;
}

/* The hypercall page ------------------------------------------------------- */

/* mov $number, %eax; vmmcall; ret */
static void fill_stub(uint8_t *stub, uint32_t number, bool amd)
{
    memset(stub, 0xcc, STUB_SIZE);
    stub[0] = 0xb8;
    stl_le_p(stub + 1, number);
    stub[5] = 0x0f;
    stub[6] = 0x01;
    stub[7] = amd ? 0xd9 : 0xc1;
    stub[8] = 0xc3;
}

bool xen_tcg_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value)
{
    uint8_t page[STUB_SIZE * NR_STUBS];
    unsigned int i;

    if (!xen_tcg_active || msr != XEN_HYPERCALL_MSR) {
        return false;
    }
    for (i = 0; i < NR_STUBS; i++) {
        fill_stub(page + i * STUB_SIZE, i, IS_AMD_CPU(env));
    }
    cpu_physical_memory_write(value & TARGET_PAGE_MASK, page, sizeof(page));
    xen_tcg_set_long_mode(env->hflags & HF_CS64_MASK);
    return true;
}

/* Traps -------------------------------------------------------------------- */

void xen_tcg_continue_hypercall(CPUState *cs, uint32_t number,
                                uint32_t argument)
{
    CPUX86State *env = cpu_env(cs);

    env->regs[R_EAX] = number;
    env->regs[env->hflags & HF_CS64_MASK ? R_EDI : R_EBX] = argument;
    xen_tcg_vcpu(cs)->continues = true;
}

void helper_xen_hypercall(CPUX86State *env, int next_eip_addend)
{
    XenTCGVCPU *v = xen_tcg_vcpu(env_cpu(env));
    struct kvm_xen_exit exit = { .type = KVM_EXIT_XEN_HCALL };
    bool long_mode = env->hflags & HF_CS64_MASK;
    uint64_t *params = (uint64_t *)exit.u.hcall.params;

    if (env->hflags & HF_GUEST_MASK) {
        /* A nested guest calls its own hypervisor, the guest. */
        helper_vmmcall(env);
        return;
    }
    exit.u.hcall.longmode = long_mode;
    exit.u.hcall.cpl = env->hflags & HF_CPL_MASK;
    if (long_mode) {
        exit.u.hcall.input = env->regs[R_EAX];
        params[0] = env->regs[R_EDI];
        params[1] = env->regs[R_ESI];
        params[2] = env->regs[R_EDX];
        params[3] = env->regs[10];
        params[4] = env->regs[8];
        params[5] = env->regs[9];
    } else {
        exit.u.hcall.input = (uint32_t)env->regs[R_EAX];
        params[0] = (uint32_t)env->regs[R_EBX];
        params[1] = (uint32_t)env->regs[R_ECX];
        params[2] = (uint32_t)env->regs[R_EDX];
        params[3] = (uint32_t)env->regs[R_ESI];
        params[4] = (uint32_t)env->regs[R_EDI];
        params[5] = (uint32_t)env->regs[R_EBP];
    }
    kvm_xen_handle_exit(env_archcpu(env), &exit);
    if (v->continues) {
        v->continues = false;
    } else {
        env->regs[R_EAX] = long_mode ? exit.u.hcall.result
                                     : (uint32_t)exit.u.hcall.result;
        env->eip += next_eip_addend;
    }
    xen_tcg_check_upcall(v);
    xen_tcg_maybe_block(v);
}
