/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSRs as a PV guest's kernel has them. */

#include "monitor.h"

#define PAT_OF_XEN 0x0000050100070406ul
#define EFER_SHOWN 0xd01ul      /* SCE LME LMA NXE */

#define MSR_TSC             0x10
#define MSR_PRED_CMD        0x49
#define MSR_MISC_ENABLE     0x1a0

/* What a guest may look at, and finds to be 0. */
static const struct {
    uint32_t first, last;
} zeros[] = {
    { 0x17, 0x17 },             /* PLATFORM_ID */
    { 0x3a, 0x3a },             /* FEATURE_CONTROL */
    { 0x79, 0x79 },
    { 0x8b, 0x8b },             /* microcode */
    { 0xce, 0xce },             /* PLATFORM_INFO */
    { 0xfe, 0xfe },             /* MTRRcap */
    { 0x140, 0x140 },           /* MISC_FEATURES_ENABLES */
    { 0x179, 0x17b },           /* MCG_CAP, STATUS, CTL */
    { MSR_SYSENTER_CS, MSR_SYSENTER_CS + 2 },
    { 0x1d9, 0x1d9 },           /* DEBUGCTL */
    { 0x34, 0x34 },             /* SMI_COUNT */
    { 0xc0010010, 0xc0010010 }, /* SYSCFG */
    { 0xc0010015, 0xc0010015 }, /* HWCR */
    { 0xc001001f, 0xc001001f },
    { 0xc0010055, 0xc0010055 },
    { 0xc0010140, 0xc0010141 }, /* OSVW */
    { 0xc0011020, 0xc001102f }, /* LS_CFG, DE_CFG and others */
};

static bool is_zero(uint32_t msr)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(zeros); i++) {
        if (msr >= zeros[i].first && msr <= zeros[i].last) {
            return true;
        }
    }
    return false;
}

/*
 * The base of the mode that the guest is in is the live one: the other one is
 * KERNEL_GS_BASE, whichever mode that is of.
 */
bool guest_rdmsr(uint32_t msr, uint64_t *value)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
    case MSR_TSC:
        *value = rdmsr(msr);
        return true;
    case MSR_TSC_AUX:
    case MSR_SPEC_CTRL:
        return rdmsr_safe(msr, value);
    case MSR_EFER:
        *value = EFER_SHOWN;
        return true;
    case MSR_STAR:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_SYSCALL_MASK:
        *value = 0;
        return true;
    case MSR_APIC_BASE:
        *value = 0xfee00800 | (this_vcpu()->id ? 0 : 0x100);
        return true;
    case MSR_PAT:
        *value = PAT_OF_XEN;
        return true;
    case MSR_MISC_ENABLE:
        *value = 0x1800;        /* no BTS, no PEBS */
        return true;
    }
    if (is_zero(msr) || !this_vcpu()->traps[EXC_GP].address) {
        *value = 0;
        return true;
    }
    return false;
}

bool guest_wrmsr(uint32_t msr, uint64_t value)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
        if (!is_canonical(value)) {
            return false;
        }
        wrmsr(msr, value);
        return true;
    case MSR_TSC_AUX:
        /* TCG would take more. */
        return value <= UINT32_MAX && wrmsr_safe(msr, value);
    case MSR_SPEC_CTRL:
    case MSR_PRED_CMD:
        /* The guest's kernel guards itself against its programs. */
        return wrmsr_safe(msr, value);
    case MSR_EFER:
        return value == EFER_SHOWN;
    case MSR_PAT:
        return value == PAT_OF_XEN;
    case MSR_TSC:
    case MSR_APIC_BASE:
    case MSR_MISC_ENABLE:
    case MSR_STAR:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_SYSCALL_MASK:
        return true;            /* and nothing happens */
    }
    return is_zero(msr) || !this_vcpu()->traps[EXC_GP].address;
}
