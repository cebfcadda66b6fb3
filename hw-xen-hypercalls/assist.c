/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_vm_assist: an HVM guest has only one of the assists. */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "migration/vmstate.h"

typedef struct Assist {
    bool runstate_update_flag;
} Assist;

static Assist assist;           /* BQL */

/* The next kernel may not know the flag, and take it for part of the time. */
static void reset(void)
{
    if (assist.runstate_update_flag) {
        assist.runstate_update_flag = false;
        xen_accel->set_runstate_update_flag(false);
    }
}

static int set_runstate_update_flag(bool enable)
{
    int ret;

    BQL_LOCK_GUARD();
    ret = xen_accel->set_runstate_update_flag(enable);
    if (!ret) {
        assist.runstate_update_flag = enable;
    }
    return ret;
}

static bool needed(void *opaque)
{
    return assist.runstate_update_flag;
}

/* A stream without this section needs no load: a reset has come before. */
static int post_load(void *opaque, int version_id)
{
    return xen_accel->set_runstate_update_flag(assist.runstate_update_flag);
}

static const VMStateDescription vmstate_assist = {
    .name = "xen_vm_assist",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = needed,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(runstate_update_flag, Assist),
        VMSTATE_END_OF_LIST()
    },
};

void xen_hypercall_assist_init(void)
{
    xen_hypercall_register_reset(reset);
    vmstate_register(NULL, 0, &vmstate_assist, &assist);
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
