/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers that VCPUOP_initialise gives a vCPU, checked as Xen's
 * arch_set_info_hvm_guest() does.  Its other registers stay as INIT left them.
 */

#include "hypercalls.h"
#include "hvm_vcpu.h"
#include "exec/cputlb.h"
#include "system/hw_accel.h"

#define AR_TYPE         0xf
#define AR_ACCESSED     0x1     /* of code and data; and busy in a TSS's 2 */
#define AR_WRITABLE     0x2     /* of data; readable, of code */
#define AR_CODE         0x8
#define AR_S            0x10
#define AR_DPL(ar)      ((ar) >> 5 & 3)
#define AR_P            0x80
#define AR_G            0x800
#define AR_PAD          0xf000

#define TSS_BUSY        0xb

/* The segments of a vCPU that starts in 64-bit mode. */
#define CS_AR_64        0xa9b
#define DATA_AR_64      0xc93
#define TR_AR_64        0x8b
#define TR_LIMIT_64     0x67

#define EFER_KNOWN      (MSR_EFER_SCE | MSR_EFER_LME | MSR_EFER_LMA | \
                         MSR_EFER_NXE | MSR_EFER_SVME | MSR_EFER_FFXSR)

typedef struct Segment {
    uint32_t base;
    uint32_t limit;
    uint16_t ar;
} Segment;

/* The registers that a context of either mode sets. */
typedef struct Registers {
    uint64_t gpr[8];            /* in the order of R_EAX ... R_EDI */
    uint64_t ip, flags;
    uint64_t cr0, cr3, cr4, efer;
    Segment cs, ds, ss, es, tr;
} Registers;

/* A segment with the bits that loading it would have set. */
static Segment segment(uint32_t base, uint32_t limit, uint16_t ar, bool is_tr)
{
    if (ar & AR_P) {
        ar |= is_tr ? 2 : AR_ACCESSED;
    }
    return (Segment) { .base = base, .limit = limit, .ar = ar };
}

static bool segment_ok(const Segment *s, bool may_be_null)
{
    if (s->ar & AR_PAD) {
        return false;
    }
    return s->ar ? s->ar & AR_P && s->ar & AR_S : may_be_null;
}

static bool data_readable(const Segment *s)
{
    return (s->ar & (AR_CODE | AR_WRITABLE)) != AR_CODE;
}

static bool segments_ok(const Registers *r)
{
    uint64_t cs_limit = r->cs.limit;

    if (!segment_ok(&r->cs, false) || !segment_ok(&r->ss, false) ||
        !segment_ok(&r->ds, true) || !segment_ok(&r->es, true)) {
        return false;
    }
    if (r->tr.ar & (AR_PAD | AR_S) || !(r->tr.ar & AR_P) ||
        (r->tr.ar & AR_TYPE) != TSS_BUSY) {
        return false;
    }
    if (!(r->cs.ar & AR_CODE) ||
        (r->ss.ar & (AR_CODE | AR_WRITABLE)) != AR_WRITABLE ||
        !data_readable(&r->ds) || !data_readable(&r->es)) {
        return false;
    }
    /* Xen takes this limit as one in pages, and cuts it off at 32 bits. */
    if (r->cs.ar & AR_G) {
        cs_limit = (uint32_t)(cs_limit << 12) | 0xfff;
    }
    return r->ip <= cs_limit && AR_DPL(r->ss.ar) == AR_DPL(r->cs.ar) &&
           AR_DPL(r->ds.ar) <= AR_DPL(r->cs.ar) &&
           AR_DPL(r->es.ar) <= AR_DPL(r->cs.ar);
}

static bool get_32(const struct vcpu_hvm_x86_32 *c, Registers *r)
{
    if (c->pad1 || c->pad2[0] || c->pad2[1] || c->pad2[2]) {
        return false;
    }
    *r = (Registers) {
        .gpr = { c->eax, c->ecx, c->edx, c->ebx,
                 c->esp, c->ebp, c->esi, c->edi },
        .ip = c->eip,
        .flags = c->eflags,
        .cr0 = c->cr0,
        .cr3 = c->cr3,
        .cr4 = c->cr4,
        .efer = c->efer,
        .cs = segment(c->cs_base, c->cs_limit, c->cs_ar, false),
        .ds = segment(c->ds_base, c->ds_limit, c->ds_ar, false),
        .ss = segment(c->ss_base, c->ss_limit, c->ss_ar, false),
        .es = segment(c->es_base, c->es_limit, c->es_ar, false),
        .tr = segment(c->tr_base, c->tr_limit, c->tr_ar, true),
    };
    return segments_ok(r) &&
           (!(r->efer & MSR_EFER_LMA) || r->efer & MSR_EFER_LME);
}

static bool get_64(const struct vcpu_hvm_x86_64 *c, Registers *r)
{
    int64_t ip = c->rip;

    *r = (Registers) {
        .gpr = { c->rax, c->rcx, c->rdx, c->rbx,
                 c->rsp, c->rbp, c->rsi, c->rdi },
        .ip = c->rip,
        .flags = c->rflags,
        .cr0 = c->cr0,
        .cr3 = c->cr3,
        .cr4 = c->cr4,
        .efer = c->efer,
        .cs = { .limit = UINT32_MAX, .ar = CS_AR_64 },
        .ds = { .limit = UINT32_MAX, .ar = DATA_AR_64 },
        .ss = { .limit = UINT32_MAX, .ar = DATA_AR_64 },
        .es = { .limit = UINT32_MAX, .ar = DATA_AR_64 },
        .tr = { .limit = TR_LIMIT_64, .ar = TR_AR_64 },
    };
    return ip >> 47 == ip >> 63 && r->cr0 & CR0_PG_MASK &&
           r->cr4 & CR4_PAE_MASK && r->efer & MSR_EFER_LME;
}

static bool efer_ok(CPUX86State *env, uint64_t efer)
{
    uint32_t edx = env->features[FEAT_8000_0001_EDX];

    return !(efer & ~EFER_KNOWN) &&
           (!(efer & MSR_EFER_SCE) || edx & CPUID_EXT2_SYSCALL) &&
           (!(efer & MSR_EFER_LME) || edx & CPUID_EXT2_LM) &&
           (!(efer & MSR_EFER_NXE) || edx & CPUID_EXT2_NX) &&
           (!(efer & MSR_EFER_SVME) ||
            env->features[FEAT_8000_0001_ECX] & CPUID_EXT3_SVM) &&
           (!(efer & MSR_EFER_FFXSR) || edx & CPUID_EXT2_FFXSR);
}

/* 0, or -EINVAL, as in Xen, for a context that is invalid for any vCPU. */
static int get_registers(CPUX86State *env, const struct vcpu_hvm_context *c,
                         Registers *r)
{
    bool ok;

    if (c->pad) {
        return -EINVAL;
    }
    switch (c->mode) {
    case VCPU_HVM_MODE_32B:
        ok = get_32(&c->cpu_regs.x86_32, r);
        break;
    case VCPU_HVM_MODE_64B:
        ok = get_64(&c->cpu_regs.x86_64, r);
        break;
    default:
        return -EINVAL;
    }
    if (!ok || r->cr4 & cr4_reserved_bits(env) || !efer_ok(env, r->efer)) {
        return -EINVAL;
    }
    /* Xen accepts some of these, but then the guest crashes when it is up. */
    if (r->cr0 & CR0_PG_MASK &&
        (!(r->cr0 & CR0_PE_MASK) ||
         (r->efer & MSR_EFER_LME && !(r->cr4 & CR4_PAE_MASK)))) {
        return -EINVAL;
    }
    r->efer &= ~MSR_EFER_LMA;
    if (r->efer & MSR_EFER_LME && r->cr0 & CR0_PG_MASK) {
        r->efer |= MSR_EFER_LMA;
    }
    return 0;
}

static void load_segment(CPUX86State *env, X86Seg reg, const Segment *s)
{
    uint32_t flags = (s->ar & 0xff) << 8 | (s->ar & 0xf00) << 12;

    cpu_x86_load_seg_cache(env, reg, 0, s->base, s->limit, flags);
}

static void load_registers(CPUX86State *env, const Registers *r)
{
    memcpy(env->regs, r->gpr, sizeof(r->gpr));
    env->eip = r->ip;
    env->eflags = r->flags | 0x2;

    cpu_x86_update_cr4(env, r->cr4);
    cpu_load_efer(env, r->efer);
    cpu_x86_update_cr0(env, r->cr0);
    cpu_x86_update_cr3(env, r->cr3);

    load_segment(env, R_CS, &r->cs);
    load_segment(env, R_SS, &r->ss);
    load_segment(env, R_DS, &r->ds);
    load_segment(env, R_ES, &r->es);
    env->tr = (SegmentCache) {
        .base = r->tr.base,
        .limit = r->tr.limit,
        .flags = (r->tr.ar & 0xff) << 8 | (r->tr.ar & 0xf00) << 12,
    };
    tlb_flush(env_cpu(env));
}

static void do_load(CPUState *cs, run_on_cpu_data data)
{
    g_autofree Registers *r = data.host_ptr;

    cpu_synchronize_state(cs);
    load_registers(&X86_CPU(cs)->env, r);
}

int xen_vcpu_load_context(CPUState *target,
                          const struct vcpu_hvm_context *context)
{
    g_autofree Registers *r = g_new0(Registers, 1);
    int ret = get_registers(&X86_CPU(target)->env, context, r);

    if (!ret) {
        xen_accel->set_vcpu_status(target, XEN_VCPU_DOWN);
        async_run_on_cpu(target, do_load,
                         RUN_ON_CPU_HOST_PTR(g_steal_pointer(&r)));
    }
    return ret;
}

int xen_vcpu_boot(CPUState *target, const struct vcpu_hvm_context *context)
{
    int ret = xen_vcpu_load_context(target, context);

    if (!ret) {
        xen_accel->set_vcpu_status(target, XEN_VCPU_UP);
        xen_accel_await_queued_work(target);
    }
    return ret;
}
