/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_vm_assist: of all assists an HVM guest has just one. */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "system/reset.h"

static bool enabled;            /* BQL */

/* The next kernel may not know the flag, and take it for part of a time. */
static void reset(void *opaque)
{
    if (enabled) {
        enabled = false;
        xen_accel->set_runstate_update_flag(false);
    }
}

static int set_runstate_update_flag(bool enable)
{
    static bool have_reset;
    int ret;

    BQL_LOCK_GUARD();
    if (!have_reset) {
        qemu_register_reset(reset, NULL);
        have_reset = true;
    }
    ret = xen_accel->set_runstate_update_flag(enable);
    if (!ret) {
        enabled = enable;
    }
    return ret;
}

int64_t xen_hypercall_vm_assist(unsigned int cmd, unsigned int type)
{
    if (type != VMASST_TYPE_runstate_update_flag) {
        return -EINVAL;
    }
    switch (cmd) {
    case VMASST_CMD_enable:
    case VMASST_CMD_disable:
        return set_runstate_update_flag(cmd == VMASST_CMD_enable);
    default:
        return -ENOSYS;
    }
}
