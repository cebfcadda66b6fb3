/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resets of what the guest has set up by hypercalls.
 *
 * To QEMU the machine's wake-up from S3 is a reset.  To the guest it is not, as
 * Xen's hvm_s3_resume() touches no more than the vCPUs and the PC's devices: the
 * same kernel goes on and relies on all that it has set up.  A plain
 * qemu_register_reset() handler is not told which of the two it is.
 */

#include "hypercalls.h"
#include "hw/resettable.h"
#include "system/reset.h"

#define TYPE_XEN_GUEST_RESET "xen-guest-reset"
OBJECT_DECLARE_SIMPLE_TYPE(XenGuestReset, XEN_GUEST_RESET)

struct XenGuestReset {
    Object parent;
    ResettableState state;
    void (*handler)(void);
};

OBJECT_DEFINE_SIMPLE_TYPE_WITH_INTERFACES(XenGuestReset, xen_guest_reset,
                                          XEN_GUEST_RESET, OBJECT,
                                          { TYPE_RESETTABLE_INTERFACE }, { })

static ResettableState *get_state(Object *obj)
{
    return &XEN_GUEST_RESET(obj)->state;
}

static void hold(Object *obj, ResetType type)
{
    if (type != RESET_TYPE_WAKEUP) {
        XEN_GUEST_RESET(obj)->handler();
    }
}

static void xen_guest_reset_init(Object *obj)
{
}

static void xen_guest_reset_finalize(Object *obj)
{
}

static void xen_guest_reset_class_init(ObjectClass *klass, void *data)
{
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    rc->get_state = get_state;
    rc->phases.hold = hold;
}

void xen_hypercall_register_reset(void (*handler)(void))
{
    Object *obj = object_new(TYPE_XEN_GUEST_RESET);

    XEN_GUEST_RESET(obj)->handler = handler;
    qemu_register_resettable(obj);
}
