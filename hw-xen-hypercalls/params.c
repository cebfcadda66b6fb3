/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HVMOP_get_param and HVMOP_set_param, as Xen answers them for a guest's own
 * parameters.
 */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "migration/vmstate.h"
#include "hw/xen/interface/hvm/hvm_op.h"
#include "hw/xen/interface/hvm/params.h"
#include "hw/xen/interface/sched.h"
#include "hw/xen-evtchn/qemu/hooks.h"

/* A TSS alone; and with the largest bitmaps that the processor would use. */
#define TSS_SIZE        104
#define TSS_MAX_SIZE    (TSS_SIZE + 0x100 / 8 + 0x10000 / 8 + 1)
/* The size that Xen assumes for old firmware, which does not state it. */
#define TSS_OLD_SIZE    128

/* Parameters that only the guest itself uses: it may read them again.  BQL */
typedef struct Params {
    uint64_t is_set;            /* a bit for each index */
    uint64_t values[HVM_NR_PARAMS];
} Params;

static Params params;

QEMU_BUILD_BUG_ON(HVM_NR_PARAMS > 64);

static void set_value(uint32_t index, uint64_t value)
{
    params.is_set |= BIT_ULL(index);
    params.values[index] = value;
}

/* Parameters that older Xen had; present headers have no names for them. */
static bool is_deprecated(uint32_t index)
{
    switch (index) {
    case 4:             /* PAE_ENABLED */
    case 13:            /* DM_DOMAIN */
    case 20 ... 23:     /* MEMORY_EVENT_CR0, _CR3, _CR4, _INT3 */
    case 24:            /* NESTEDHVM */
    case 25:            /* MEMORY_EVENT_SINGLE_STEP */
    case 26:            /* BUFIOREQ_EVTCHN */
    case 30:            /* MEMORY_EVENT_MSR */
        return true;
    default:
        return false;
    }
}

static int not_the_guests(uint32_t index)
{
    return is_deprecated(index) ? -EINVAL : -EPERM;
}

/* The value of a parameter that has not been set yet. */
static uint64_t initial_value(CPUState *cs, uint32_t index)
{
    switch (index) {
    case HVM_PARAM_X87_FIP_WIDTH:
        return X86_CPU(cs)->env.features[FEAT_7_0_EBX] &
               CPUID_7_0_EBX_ZERO_FCS_FDS ? 8 : 0;
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
        /* The value that Xen's firmware sets. */
        return 1;
    default:
        return 0;
    }
}

static uint64_t get_value(CPUState *cs, uint32_t index)
{
    return params.is_set & BIT_ULL(index) ? params.values[index]
                                          : initial_value(cs, index);
}

/* False: the guest may read it, and QEMU's own code answers. */
static bool get_param(CPUState *cs, struct xen_hvm_param *op, int *ret)
{
    *ret = 0;
    switch (op->index) {
    case HVM_PARAM_STORE_PFN:
    case HVM_PARAM_CONSOLE_PFN:
        return false;
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_EVTCHN:
        if (!(params.is_set & BIT_ULL(op->index))) {
            return false;
        }
        op->value = get_value(cs, op->index);
        return true;
    case HVM_PARAM_CALLBACK_IRQ:
        op->value = xen_evtchn_get_callback_param();
        return true;
    case HVM_PARAM_VM86_TSS:
        op->value = (uint32_t)get_value(cs, HVM_PARAM_VM86_TSS_SIZED);
        return true;
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_X87_FIP_WIDTH:
    case HVM_PARAM_ALTP2M:
        op->value = get_value(cs, op->index);
        return true;
    default:
        *ret = not_the_guests(op->index);
        return true;
    }
}

/* The TSS for a guest's real mode in Xen, which crashes it for a bad one. */
static int set_tss(CPUState *cs, uint64_t value)
{
    uint32_t size = value >> 32;

    if (size < TSS_SIZE) {
        xen_hypercall_shutdown(cs, SHUTDOWN_crash);
        return -EINVAL;
    }
    set_value(HVM_PARAM_VM86_TSS_SIZED,
              (uint32_t)value | (uint64_t)MIN(size, TSS_MAX_SIZE) << 32);
    return 0;
}

static bool set_param(CPUState *cs, const struct xen_hvm_param *op, int *ret)
{
    *ret = 0;
    switch (op->index) {
    case HVM_PARAM_CALLBACK_IRQ:
        return false;
    case HVM_PARAM_VM86_TSS:
        if (op->value >> 32) {
            xen_hypercall_shutdown(cs, SHUTDOWN_crash);
            *ret = -EINVAL;
        } else if (op->value) {
            *ret = set_tss(cs, op->value | (uint64_t)TSS_OLD_SIZE << 32);
        } else {
            set_value(HVM_PARAM_VM86_TSS_SIZED, 0);
        }
        return true;
    case HVM_PARAM_VM86_TSS_SIZED:
        *ret = set_tss(cs, op->value);
        return true;
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
        /* Xen moves its PM timer; QEMU's stays where the firmware put it. */
        if (op->value > 1) {
            *ret = -EINVAL;
            return true;
        }
        break;
    case HVM_PARAM_X87_FIP_WIDTH:
        if (op->value != 0 && op->value != 4 && op->value != 8) {
            *ret = -EINVAL;
            return true;
        }
        break;
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_EVTCHN:
        break;
    case HVM_PARAM_ALTP2M:
        /* Xen refuses a guest's write; with another error since 4.19. */
        *ret = xen_accel->get_xen_version() < XEN_VERSION(4, 19) ? -EPERM
                                                                 : -EEXIST;
        return true;
    default:
        *ret = not_the_guests(op->index);
        return true;
    }
    set_value(op->index, op->value);
    return true;
}

bool xen_hypercall_hvm_param(CPUState *cs, unsigned int cmd, uint64_t arg,
                             int64_t *result)
{
    struct xen_hvm_param op;
    int ret;

    qemu_build_assert(sizeof(op) == 16);
    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        ret = -EFAULT;
    } else if (op.index >= HVM_NR_PARAMS) {
        ret = -EINVAL;
    } else {
        ret = xen_hypercall_check_self(op.domid);
    }
    if (!ret) {
        bool handled;

        bql_lock();
        handled = cmd == HVMOP_set_param ? set_param(cs, &op, &ret)
                                         : get_param(cs, &op, &ret);
        bql_unlock();
        if (!handled) {
            return false;
        }
        if (!ret && cmd == HVMOP_get_param) {
            ret = kvm_copy_to_gva(cs, arg, &op, sizeof(op));
        }
    }
    *result = ret;
    return true;
}

static void reset(void)
{
    memset(&params, 0, sizeof(params));
}

static bool needed(void *opaque)
{
    return params.is_set != 0;
}

static const VMStateDescription vmstate_params = {
    .name = "xen_hvm_params",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(is_set, Params),
        VMSTATE_UINT64_ARRAY(values, Params, HVM_NR_PARAMS),
        VMSTATE_END_OF_LIST()
    },
};

void xen_hypercall_param_init(void)
{
    xen_hypercall_register_reset(reset);
    vmstate_register(NULL, 0, &vmstate_params, &params);
}
